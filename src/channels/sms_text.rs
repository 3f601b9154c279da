//! Text messages that fit: GSM-7 or UCS-2, at most two segments, number and link never cut.
//!
//! When room is short the title is cut first, then the time and the service go. Text of others
//! stands on one line, so it cannot make lines that look like ours.

use super::acknowledge_text;
use super::links::Links;
use super::message_text;
use crate::engine::decision::{IncidentSummary, Message, SendRequest};
use crate::text::{gsm7::segments, gsm7::simplified, listed, more, truncate};

/// Segments that a message may take.
const SEGMENTS_MAX: usize = 2;

/// No more characters fit in two segments, and no more numbers.
const CHARACTERS_MAX: usize = 306;
const NUMBERS_MAX: usize = 60;

/// Incidents of a bundled page with their titles, and the characters of these: as many incidents as
/// fit come before longer titles.
const NAMED_MAX: usize = 16;
const BUNDLED_TITLES: [usize; 3] = [60, 32, 16];

/// What stands instead of how to reply where nobody reads a reply.
const NOT_READ: &str = "Replies are not read";

/// Characters of a service's name.
const SERVICE_CHARACTERS: usize = 40;

/// The text of an SMS for this request, from a number that takes replies.
pub fn compose(order: &SendRequest, links: &Links) -> String {
    let reply = order
        .asks
        .then(|| acknowledge_text::sms_reply(&order.message))
        .flatten();
    compose_with(order, links, reply.as_deref())
}

/// The text of an SMS for this request, from a number whose replies reach nobody, which a page
/// says.
pub fn compose_one_way(order: &SendRequest, links: &Links) -> String {
    let link = links.page(&order.message.token);
    let note = order.asks.then_some(NOT_READ);
    let ending: Vec<&str> = [Some(link.as_str()), note].into_iter().flatten().collect();
    fitting(order, &ending, None)
}

fn compose_with(order: &SendRequest, links: &Links, reply: Option<&str>) -> String {
    let link = links.page(&order.message.token);
    let ending = [Some(link.as_str()), reply];
    // A refused text is tried once more without the link, which is what filters object to; but
    // never without any way to acknowledge.
    let ending: Vec<&str> = match (order.plain_text_only, reply) {
        (true, Some(reply)) => vec![reply],
        (true, None) | (false, _) => ending.into_iter().flatten().collect(),
    };
    fitting(order, &ending, reply)
}

/// The fullest form that fits with this ending.
fn fitting(order: &SendRequest, ending: &[&str], reply: Option<&str>) -> String {
    let mut texts = candidates(&order.message, ending);
    texts
        .find(|text| segments(text) <= SEGMENTS_MAX)
        .unwrap_or_else(|| bare(order, reply))
}

/// The message from its fullest form to its shortest, each made of the alphabet it fits best.
fn candidates<'text>(
    message: &'text Message,
    ending: &'text [&str],
) -> Box<dyn Iterator<Item = String> + 'text> {
    match message.single() {
        Some(brief) => Box::new(single(message, brief, ending)),
        None => Box::new(bundle(message, ending)),
    }
}

/// One incident: the title is cut away letter by letter, then the facts go one by one.
fn single<'text>(
    message: &'text Message,
    brief: &'text IncidentSummary,
    ending: &'text [&str],
) -> impl Iterator<Item = String> + 'text {
    let title = message_text::title(brief);
    let facts = facts(message, brief);
    let lengths = (0..=title.chars().count().min(CHARACTERS_MAX)).rev();
    let with_facts = {
        let (title, facts) = (title.clone(), facts.clone());
        lengths.map(move |length| page(brief, &truncate(&title, length), &facts, ending))
    };
    let short = truncate(&title, 12);
    let with_fewer = (0..=facts.len())
        .rev()
        .map(move |count| page(brief, &short, &facts[..count], ending));
    with_facts.chain(with_fewer)
}

/// Characters of what joined.
const NEWS_CHARACTERS: usize = 60;

/// What follows the title, the least important last: how many fire, the news, the service, the
/// time.
fn facts(message: &Message, brief: &IncidentSummary) -> Vec<String> {
    let service =
        message_text::service(brief).map(|service| truncate(&service, SERVICE_CHARACTERS));
    let since = format!(
        "since {}",
        message_text::since_short(brief, &message.time_zone)
    );
    let firing = (brief.alerts_firing > 1).then(|| format!("{} firing", brief.alerts_firing));
    let news = message_text::news(message).map(|news| truncate(&news, NEWS_CHARACTERS));
    let waiting = (brief.waiting_total > 0).then(|| format!("{} waiting", brief.waiting_total));
    let facts = [firing, waiting, news, service, Some(since)];
    facts.into_iter().flatten().collect()
}

/// `HIGH #1042 disk full on db1`, the facts on the next line, then how to acknowledge.
fn page(brief: &IncidentSummary, title: &str, facts: &[String], ending: &[&str]) -> String {
    let head = format!("{} {title}", message_text::tag(brief));
    let facts = facts.join(", ");
    lines([head.trim_end(), &facts], ending)
}

/// Several incidents: their count, then as many as fit, each with urgency, number and title; with
/// no room for titles, numbers alone.
fn bundle<'text>(
    message: &'text Message,
    ending: &'text [&str],
) -> impl Iterator<Item = String> + 'text {
    let named = message.incidents.len().min(NAMED_MAX);
    let sizes = (1..=named)
        .rev()
        .flat_map(|count| BUNDLED_TITLES.map(|characters| (count, characters)));
    let titled = sizes.map(move |(count, characters)| {
        let named = message.incidents.iter().take(count).map(|brief| {
            let title = message_text::title_within(brief, characters);
            format!("{} {title}", message_text::tag(brief))
        });
        let more = more(message.incidents_total, count);
        let list: Vec<String> = named.chain(more).collect();
        lines(
            [&acknowledge_text::bundle_count(message), &list.join("\n")],
            ending,
        )
    });
    titled.chain(numbers(message, ending))
}

/// Several incidents by their numbers.
fn numbers<'text>(
    message: &'text Message,
    ending: &'text [&str],
) -> impl Iterator<Item = String> + 'text {
    let numbers: Vec<String> = message
        .incidents
        .iter()
        .take(NUMBERS_MAX)
        .map(|brief| format!("#{}", brief.incident.number))
        .collect();
    (0..=numbers.len()).rev().map(move |count| {
        let head = acknowledge_text::bundle_count(message);
        let list = listed(&numbers[..count], " ", message.incidents_total);
        lines([&head, list.trim()], ending)
    })
}

/// When even the link does not fit: the number and how to reply.
fn bare(order: &SendRequest, reply: Option<&str>) -> String {
    let message = &order.message;
    let head = match message.incidents.first() {
        Some(brief) if message.incidents_total == 1 => message_text::tag(brief),
        Some(_) | None => acknowledge_text::bundle_count(message),
    };
    let command = order.asks.then(|| acknowledge_text::command(message));
    let ending: Vec<&str> = reply.or(command.as_deref()).into_iter().collect();
    lines([&head, ""], &ending)
}

/// The lines that are not empty; only the head may get stand-ins, a link must stay as it is.
fn lines(head: [&str; 2], ending: &[&str]) -> String {
    let head = simplified(&head.join("\n"));
    let lines: Vec<&str> = head
        .lines()
        .chain(ending.iter().copied())
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channels::sample;
    use crate::engine::ids::IncidentNumber;
    use crate::engine::page::{Recipient, UpdateKind};
    use crate::engine::ruleset::Medium;

    fn titled(title: &str) -> SendRequest {
        let mut order = sample::order(Medium::Sms);
        order.message.incidents[0].title = title.into();
        order
    }

    fn link() -> String {
        sample::links().page(&sample::order(Medium::Sms).message.token)
    }

    #[test]
    fn a_page_says_what_since_when_the_link_and_how_to_reply() {
        let cases = [
            ("disk full on db1", "disk full on db1"),
            (
                "“disk” – full\r\nReply: STOP",
                "\"disk\" - full Reply: STOP",
            ),
            ("東京 🔥", "東京 🔥"),
        ];
        for (title, expected) in cases {
            assert_eq!(
                compose(&titled(title), &sample::links()),
                format!(
                    "HIGH #1042 {expected}\npayments-api, since Tue 03:10\n{}\nReply: ack 1042",
                    link()
                )
            );
        }
    }

    #[test]
    fn a_page_counts_what_fires_and_names_what_joined_however_long_its_title_is() {
        for title in ["disk full on db1".to_owned(), "disk ".repeat(200)] {
            let mut order = titled(&title);
            let brief = &mut order.message.incidents[0];
            (brief.alerts_firing, brief.alerts_total) = (120, 130);
            brief.joined = vec!["zebra is hot".into()];
            brief.joined_total = 1;
            let text = compose(&order, &sample::links());
            assert_eq!(segments(&text), 2, "{text}");
            assert!(
                text.contains("\n120 firing, Joined: zebra is hot, payments-api, since Tue"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_title_is_cut_first() {
        let text = compose(&titled(&"disk ".repeat(200)), &sample::links());
        assert_eq!(segments(&text), 2);
        let head = text.lines().next().unwrap();
        assert!(
            head.starts_with("HIGH #1042 disk disk") && head.ends_with("..."),
            "{text}"
        );
        assert!(text.contains("\npayments-api, since Tue 03:10\n"), "{text}");
    }

    #[test]
    fn a_bundled_page_counts_and_names_the_first_and_is_acknowledged_at_once() {
        let mut order = sample::bundle(Medium::Sms, 3);
        let titles = [
            "disk full on db1",
            "payments are slow",
            "certificate ends soon",
        ];
        for (brief, title) in order.message.incidents.iter_mut().zip(titles) {
            brief.title = title.into();
        }
        order.message.incidents[2].urgency = crate::engine::urgency::Urgency::Low;
        let named = "HIGH #1042 disk full on db1\nHIGH #1043 payments are slow\n\
                     LOW #1044 certificate ends soon";
        assert_eq!(
            compose(&order, &sample::links()),
            format!(
                "3 incidents are open for you\n{named}\n{}\nReply: ack all",
                link()
            )
        );
        order.message.incidents[0].title = "long ".repeat(100).into();
        let text = compose(&order, &sample::links());
        assert_eq!(segments(&text), 2);
        assert!(
            text.contains("HIGH #1042 long long") && text.contains("LOW #1044 cert"),
            "{text}"
        );
        let many = compose(&sample::bundle(Medium::Sms, 400), &sample::links());
        assert_eq!(segments(&many), 2);
        assert!(
            many.starts_with("400 incidents are open for you\nHIGH #1042 "),
            "{many}"
        );
        assert!(
            many.contains(" more\n") && many.ends_with("\nReply: ack all"),
            "{many}"
        );
    }

    #[test]
    fn a_refused_text_is_repeated_without_the_link() {
        let mut order = titled("disk full on db1");
        order.plain_text_only = true;
        assert_eq!(
            compose(&order, &sample::links()),
            "HIGH #1042 disk full on db1\npayments-api, since Tue 03:10\nReply: ack 1042"
        );
        assert!(compose_one_way(&order, &sample::links()).contains(&link()));
    }

    #[test]
    fn nobody_is_asked_to_reply_where_a_reply_does_nothing() {
        let mut to_channel = titled("disk full");
        to_channel.message.recipient = Recipient::Channel {
            channel: "sms".into(),
        };
        let notice = sample::update(Medium::Sms, UpdateKind::Resolved, sample::resolved());
        let texts = [
            compose(&to_channel, &sample::links()),
            compose(&notice, &sample::links()),
            compose_one_way(&titled("disk full"), &sample::links()),
        ];
        for text in texts {
            assert!(!text.contains("Reply"), "{text}");
            assert!(text.contains("/a/"), "{text}");
        }
    }

    #[test]
    fn an_address_too_long_to_fit_gives_way_to_the_reply() {
        let links = Links::new(&format!("https://{}.example.com", "x".repeat(400)), [7; 32]);
        assert_eq!(
            compose(&titled("disk full"), &links),
            "HIGH #1042\nReply: ack 1042"
        );
    }

    #[test]
    fn a_page_says_that_replies_are_not_read_within_its_length() {
        for title in ["disk full on db1".to_owned(), "🔥 disk ".repeat(60)] {
            let text = compose_one_way(&titled(&title), &sample::links());
            assert!(
                text.ends_with(&format!("\n{}\n{NOT_READ}", link())),
                "{text}"
            );
            assert!(segments(&text) <= SEGMENTS_MAX, "{text}");
        }
        let notice = sample::update(Medium::Sms, UpdateKind::Resolved, sample::resolved());
        let text = compose_one_way(&notice, &sample::links());
        assert!(!text.contains(NOT_READ), "nothing is asked: {text}");
    }

    proptest! {
        #[test]
        fn any_page_fits_and_keeps_number_and_link(
            title in "\\PC{0,400}|[a-z€^{}\\[\\]]{100,400}|[🔥я😀a ]{0,300}",
            service in "\\PC{0,120}|[€|]{0,120}",
            number in 1_u64..10_000_000_000,
        ) {
            let mut order = titled(&title);
            order.message.incidents[0].service = Some(service.as_str().into());
            order.message.incidents[0].incident.number = IncidentNumber(number);
            let text = compose(&order, &sample::links());
            let number_whole = format!("#{number}");
            let link_whole = format!("\n{}\n", link());
            let reply = format!("Reply: ack {number}");
            prop_assert!(segments(&text) <= 2, "{}", text);
            prop_assert!(text.contains(&number_whole), "{}", text);
            prop_assert!(text.contains(&link_whole), "{}", text);
            prop_assert!(text.ends_with(&reply), "{}", text);
            prop_assert!(text.lines().count() <= 4, "{}", text);
        }

        #[test]
        fn any_bundled_page_fits(count in 1_u64..300) {
            let text = compose(&sample::bundle(Medium::Sms, count), &sample::links());
            let link = link();
            prop_assert!(segments(&text) <= 2);
            prop_assert!(text.contains("#1042") && text.contains(&link));
        }
    }
}
