//! A page as plain text: the subject, the facts, and the whole body.
//!
//! The text is complete in itself; the HTML form shows the same facts.

use crate::channels::acknowledge_text;
use crate::channels::links::Links;
use crate::channels::message_text;
use crate::channels::sent::{self, Block};
use crate::engine::decision::{IncidentSummary, Message, SendRequest};
use crate::engine::page::Recipient;
use crate::text::{more, one_line, truncate};

/// Characters of a title in a subject; the body has all of it.
const SUBJECT_TITLE_CHARACTERS: usize = 150;

/// Characters of what monitors sent: readers of mail cut a body of more than about 100 KB.
const SENT_CHARACTERS: usize = 16_000;

/// Links shown of one incident.
pub const LINKS_MAX: usize = 40;

/// `[HIGH] #1042 disk full on db1`, the same for all mail about an incident.
pub fn subject(message: &Message) -> String {
    match message.single() {
        None => {
            let urgency = message.incidents.iter().map(|brief| brief.urgency).max();
            let count = acknowledge_text::bundle_count(message);
            match urgency {
                Some(urgency) => format!("[{}] {count}", message_text::urgency(urgency)),
                None => count,
            }
        }
        Some(brief) => format!(
            "[{}] #{} {}",
            message_text::urgency(brief.urgency),
            brief.incident.number,
            truncate(&message_text::opened_with(brief), SUBJECT_TITLE_CHARACTERS)
        ),
    }
}

/// Service, since when, state and why, each with its name.
pub fn facts(message: &Message, brief: &IncidentSummary) -> Vec<(&'static str, String)> {
    let zone = &message.time_zone;
    let service = message_text::service(brief).map(|service| ("Service", service));
    let since = ("Since", message_text::since(brief, zone));
    let state = ("State", message_text::state(brief, zone));
    let provider = message_text::provider_incident(brief);
    let provider = provider.map(|incident| ("Provider", incident));
    let waiting = message_text::waiting(brief).map(|waiting| ("Waiting", waiting));
    let (since, state, why) = (Some(since), Some(state), Some(why(message)));
    [service, since, state, provider, waiting, why]
        .into_iter()
        .flatten()
        .collect()
}

/// Why this reader, with its name.
pub fn why(message: &Message) -> (&'static str, String) {
    let name = match &message.recipient {
        Recipient::User { .. } => "Why you",
        Recipient::Channel { .. } => "Why here",
    };
    (name, message_text::why(message))
}

/// The service and since when, on one line: `payments-api, since Tue 12 May 03:10 WEST`.
pub fn bundle_details(message: &Message, brief: &IncidentSummary) -> String {
    let service = message_text::service(brief);
    let since = format!("since {}", message_text::since(brief, &message.time_zone));
    let details: Vec<String> = service.into_iter().chain([since]).collect();
    details.join(", ")
}

/// What a page says of its alerts in one line: `2 of 3 alerts firing, grouped by cluster=eu`.
pub fn alerts_heading(brief: &IncidentSummary) -> String {
    let firing = message_text::firing(brief);
    match message_text::group(brief) {
        Some(group) => format!("{firing}, grouped by {group}"),
        None => firing,
    }
}

/// What monitors sent of the alerts shown.
pub fn sent(brief: &IncidentSummary) -> Vec<Block> {
    sent::blocks(brief, SENT_CHARACTERS, |text| text.chars().count())
}

/// The whole body as plain text.
pub fn compose(order: &SendRequest, links: &Links) -> String {
    let parts = match order.message.single() {
        Some(brief) => single(order, links, brief),
        None => bundle(order, links),
    };
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}\n", parts.join("\n\n"))
}

fn single(order: &SendRequest, links: &Links, brief: &IncidentSummary) -> Vec<String> {
    let message = &order.message;
    let headline = message_text::headline(brief);
    let [first, second] = match message_text::notice(order) {
        Some(notice) => [notice, headline],
        None => [headline, message_text::news(message).unwrap_or_default()],
    };
    let mut parts = vec![
        first,
        second,
        aligned(&facts(message, brief)),
        acting(order, links),
    ];
    // A form that was refused is repeated without what others wrote beside the title.
    if !order.plain_text_only {
        let alerts = bullets(&message_text::alert_lines(brief));
        parts.push(format!("{}\n{alerts}", alerts_heading(brief)));
        parts.extend(sent(brief).iter().map(sent_block));
        parts.push(further_links(brief));
    }
    parts
}

fn bundle(order: &SendRequest, links: &Links) -> Vec<String> {
    let message = &order.message;
    let mut parts = vec![
        acknowledge_text::bundle_count(message),
        aligned(&[why(message)]),
        acting(order, links),
    ];
    if !order.plain_text_only {
        let incidents: Vec<String> = message
            .incidents
            .iter()
            .map(|brief| {
                let details = bundle_details(message, brief);
                format!("{}\n  {details}", message_text::headline(brief))
            })
            .collect();
        parts.push(incidents.join("\n"));
        parts.push(bundle_rest(message).unwrap_or_default());
    }
    parts
}

/// `and 12 more, listed behind the link` when a bundled page names only the first.
pub fn bundle_rest(message: &Message) -> Option<String> {
    let more = more(message.incidents_total, message.incidents.len());
    more.map(|more| format!("{more}, see the link"))
}

/// How to acknowledge, then the link.
fn acting(order: &SendRequest, links: &Links) -> String {
    let link = links.page(&order.message.token);
    let how = acknowledge_text::how_to_acknowledge(order, links);
    let how = how.unwrap_or_else(|| "The incident now:".to_owned());
    format!("{how}\n{link}")
}

fn sent_block(block: &Block) -> String {
    let summary = block.summary.iter().cloned();
    let lines = summary.chain([bullets(&block.lines)]);
    lines.collect::<Vec<_>>().join("\n")
}

fn further_links(brief: &IncidentSummary) -> String {
    let links = message_text::links_of(brief).into_iter().take(LINKS_MAX);
    let lines = links
        .into_iter()
        .map(|link| match link.text.as_deref().map(one_line) {
            Some(text) if !text.is_empty() => format!("{text}: {}", link.href),
            Some(_) | None => link.href.to_string(),
        });
    let rest = message_text::more_links(brief, LINKS_MAX);
    lines.chain(rest).collect::<Vec<_>>().join("\n")
}

fn aligned(facts: &[(&'static str, String)]) -> String {
    let lines: Vec<String> = facts
        .iter()
        .map(|(name, value)| format!("{name:<9} {value}"))
        .collect();
    lines.join("\n")
}

fn bullets(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("- {line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::page::UpdateKind;
    use crate::engine::ruleset::Medium;

    #[test]
    fn the_subject_is_one_line_and_the_same_for_all_mail_about_an_incident() {
        let expected = "[HIGH] #1042 disk full on db1";
        let notice = sample::update(Medium::Email, UpdateKind::Resolved, sample::resolved());
        assert_eq!(subject(&sample::order(Medium::Email).message), expected);
        assert_eq!(subject(&notice.message), expected);
        let mut order = sample::order(Medium::Email);
        order.message.incidents[0].title = "another".into();
        assert_eq!(subject(&order.message), expected, "whatever fires now");
        order.message.incidents[0].opened_with = "a\r\nBcc: b@example.com\0".into();
        assert_eq!(subject(&order.message), "[HIGH] #1042 a Bcc: b@example.com");
        assert_eq!(
            subject(&sample::bundle(Medium::Email, 3).message),
            "[HIGH] 3 incidents are open for you"
        );
    }

    #[test]
    fn a_page_reads_in_the_agreed_order() {
        let mut order = sample::order(Medium::Email);
        sample::content(&mut order.message.incidents[0].alerts[0]).links =
            vec![sample::link("https://wiki.example/disk", Some("Runbook"))];
        let link = sample::links().page(&order.message.token);
        assert_eq!(
            compose(&order, &sample::links()),
            format!(
                "HIGH #1042 disk full on db1\n\
                 \n\
                 Service   payments-api\n\
                 Since     Tue 12 May 03:10 WEST\n\
                 State     Triggered\n\
                 Why you   route payments-critical → policy payments, step 1 → \
                 schedule payments-primary\n\
                 \n\
                 Open the link, or run `reveille ack 1042`.\n\
                 {link}\n\
                 \n\
                 1 alert firing\n\
                 - disk full on db1 (critical, db1.example)\n\
                 \n\
                 - alertname=DiskFull\n\
                 - team=payments\n\
                 \n\
                 Runbook: https://wiki.example/disk\n"
            )
        );
    }

    #[test]
    fn a_notice_tells_first_what_changed_and_does_not_ask() {
        let mut joined = sample::triggered();
        (joined.joined, joined.joined_total) = (vec!["zebra is hot".into()], 1);
        let cases = [
            (
                UpdateKind::Acknowledged,
                sample::acknowledged(),
                "Acknowledged by Ana Silva: disk full on db1",
                "Acknowledged by Ana Silva at 03:12",
            ),
            (
                UpdateKind::Resolved,
                sample::resolved(),
                "Resolved: disk full on db1",
                "Resolved by prometheus at Wed 13 May 09:02",
            ),
            (
                UpdateKind::Triggered,
                sample::triggered(),
                "Triggered again: disk full on db1",
                "Triggered",
            ),
            (
                UpdateKind::Joined,
                joined,
                "Joined: zebra is hot",
                "Triggered",
            ),
        ];
        for (news, brief, first, state) in cases {
            let notice = sample::update(Medium::Email, news, brief);
            let text = compose(&notice, &sample::links());
            let head = format!("{first}\n\nHIGH #1042 disk full on db1\n\nService ");
            assert!(text.starts_with(&head), "{text}");
            assert!(text.contains(&format!("\nState     {state}\n")), "{text}");
            assert!(!text.contains("reveille ack"), "{text}");
            let html = super::super::html::compose(&notice, &sample::links());
            let (_, body) = html.split_once("<body").expect("a body");
            let at = |text: &str| body.find(text).expect("it is said");
            assert!(at(first) < at("HIGH #1042"), "{html}");
        }
    }

    #[test]
    fn a_bundled_page_lists_what_it_holds() {
        let mut order = sample::bundle(Medium::Email, 2);
        order.message.incidents_total = 12;
        let text = compose(&order, &sample::links());
        let list = "HIGH #1042 disk full on db1\n  payments-api, since Tue 12 May 03:10 \
            WEST\nHIGH #1043 disk full on db2\n  payments-api, since Tue 12 May 03:10 WEST\n\nand \
            10 more, see the link\n";
        assert!(
            text.starts_with("12 incidents are open for you\n\n"),
            "{text}"
        );
        assert!(text.ends_with(list), "{text}");
    }

    #[test]
    fn a_refused_form_is_repeated_without_what_others_wrote() {
        let mut order = sample::order(Medium::Email);
        order.plain_text_only = true;
        let text = compose(&order, &sample::links());
        assert!(
            !text.contains("alertname") && text.contains("/a/"),
            "{text}"
        );
    }
}
