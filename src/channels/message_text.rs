//! The words that all media share: one place, so that a page reads the same everywhere.
//!
//! A page says, in this request and in the space that its medium has: urgency and number, title,
//! service, since when, why you, how to acknowledge, link. These functions make the parts as plain
//! text on one line each; a channel lays them out and escapes them for its medium.

use crate::engine::alert::AlertSummary;
use crate::engine::decision::{IncidentSummary, Message, SendRequest};
use crate::engine::event::{Link, Text};
use crate::engine::headline::counted;
use crate::engine::incident::{Handled, Status};
use crate::engine::page::UpdateKind;
use crate::engine::time::Timestamp;
use crate::engine::urgency::Urgency;
use crate::text::{is_unwanted, listed, more, one_line, truncate};

/// Joined alerts that are named before the rest is counted.
const JOINED_LISTED: usize = 3;

/// `HIGH #1042 disk full on db1`: urgency and number, then the title.
pub fn headline(brief: &IncidentSummary) -> String {
    format!("{} {}", tag(brief), title_and_count(brief))
}

/// `HIGH #1042`: what is never cut.
pub fn tag(brief: &IncidentSummary) -> String {
    format!("{} #{}", urgency(brief.urgency), brief.incident.number)
}

/// `HIGH` or `LOW`.
pub fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "HIGH",
        Urgency::Low => "LOW",
    }
}

/// What fires now, on one line; never empty.
pub fn title(brief: &IncidentSummary) -> String {
    named(&brief.title)
}

/// What the incident was opened with, on one line: the same for as long as it is open.
pub fn opened_with(brief: &IncidentSummary) -> String {
    named(&brief.opened_with)
}

fn named(title: &str) -> String {
    let title = one_line(title);
    if title.is_empty() {
        "(no title)".to_owned()
    } else {
        title
    }
}

/// `disk full on db1 +2 more`: the most pressing alert, and how many fire beside it.
pub fn title_and_count(brief: &IncidentSummary) -> String {
    title_within(brief, usize::MAX)
}

/// The same with the title cut to so many characters; the count is never cut.
pub fn title_within(brief: &IncidentSummary, characters: usize) -> String {
    let title = truncate(&title(brief), characters);
    counted(&title, brief.alerts_firing)
}

/// The service on one line, if it has one.
pub fn service(brief: &IncidentSummary) -> Option<String> {
    let service = one_line(brief.service.as_deref()?);
    (!service.is_empty()).then_some(service)
}

/// Where it stands: `Triggered`, `Acknowledged by Ana Silva at 03:12`, `Resolved by prometheus at
/// Wed 13 May 09:02`.
pub fn state(brief: &IncidentSummary, zone: &str) -> String {
    match brief.status {
        Status::Triggered => "Triggered".to_owned(),
        Status::Acknowledged => handled("Acknowledged", brief.acknowledged.as_ref(), brief, zone),
        Status::Resolved => handled("Resolved", brief.resolved.as_ref(), brief, zone),
    }
}

fn handled(word: &str, handled: Option<&Handled>, brief: &IncidentSummary, zone: &str) -> String {
    let Some(handled) = handled else {
        return word.to_owned();
    };
    let day = |moment: Timestamp| local(moment, zone, "%Y-%m-%d");
    let format = if day(handled.at) == day(brief.opened_at) {
        "%H:%M"
    } else {
        DAY_AND_TIME
    };
    let at = local(handled.at, zone, format);
    format!("{word} by {} at {at}", one_line(&handled.by))
}

/// Since when, on the reader's clock: `Tue 12 May 03:10 WEST`.
pub fn since(brief: &IncidentSummary, zone: &str) -> String {
    local(brief.opened_at, zone, "%a %-d %b %H:%M %Z")
}

/// Since when, as short as it can be understood: `Tue 03:10`.
pub fn since_short(brief: &IncidentSummary, zone: &str) -> String {
    local(brief.opened_at, zone, "%a %H:%M")
}

const DAY_AND_TIME: &str = "%a %-d %b %H:%M";

/// A moment on the clock of a zone; a zone that is not known reads as UTC.
fn local(moment: Timestamp, zone: &str, format: &str) -> String {
    let timestamp = moment.timestamp();
    match timestamp.in_tz(zone) {
        Ok(zoned) => zoned.strftime(format).to_string(),
        Err(_) => timestamp.strftime(format).to_string().replace(" Z", " UTC"),
    }
}

/// Why the reader is paged: `route payments → policy payments, step 1 → schedule night`.
pub fn why(message: &Message) -> String {
    one_line(&message.why.to_string())
}

/// What is new to the reader: what an update tells, or what joined since the last page; `None` on
/// a first page.
pub fn news(message: &Message) -> Option<String> {
    let brief = message.incidents.first()?;
    let Some(news) = message.news else {
        return joined(brief);
    };
    Some(match news {
        UpdateKind::Joined => {
            let said = joined(brief).or_else(|| of_provider(brief));
            said.unwrap_or_else(|| format!("More alerts joined: {}", firing(brief)))
        }
        UpdateKind::Acknowledged | UpdateKind::Resolved => state(brief, &message.time_zone),
        UpdateKind::Triggered => "Triggered again: nobody has acknowledged it".to_owned(),
    })
}

/// The first line of a notice, what changed and of what: `Acknowledged by Ana Silva: disk full on
/// db1`; `None` for what asks and for a message that is no notice.
pub fn notice(order: &SendRequest) -> Option<String> {
    let brief = order.message.incidents.first()?;
    let news = order.message.news.filter(|_| !order.asks)?;
    let changed = match news {
        UpdateKind::Joined => return self::news(&order.message),
        UpdateKind::Acknowledged => match &brief.acknowledged {
            Some(handled) => format!("Acknowledged by {}", one_line(&handled.by)),
            None => "Acknowledged".to_owned(),
        },
        UpdateKind::Resolved => "Resolved".to_owned(),
        UpdateKind::Triggered => "Triggered again".to_owned(),
    };
    Some(format!("{changed}: {}", title_and_count(brief)))
}

/// `Joined: zebra is hot, lion is hot and 3 more`.
pub fn joined(brief: &IncidentSummary) -> Option<String> {
    let shown = brief.joined.iter().take(JOINED_LISTED);
    let shown: Vec<String> = shown.map(|title| one_line(title)).collect();
    if shown.is_empty() {
        return None;
    }
    let joined = listed(&shown, ", ", brief.joined_total);
    Some(format!("Joined: {joined}"))
}

/// The incident of a provider to which it may be due: `#14 Stripe: API errors`.
pub fn provider_incident(brief: &IncidentSummary) -> Option<String> {
    brief.provider_incident.as_deref().map(one_line)
}

/// What waits under an incident of a provider: `2 (#15 checkout fails, #16 payouts are slow)`.
pub fn waiting(brief: &IncidentSummary) -> Option<String> {
    let shown = brief.waiting.iter().take(JOINED_LISTED);
    let shown: Vec<String> = shown.map(|title| one_line(title)).collect();
    if shown.is_empty() {
        return None;
    }
    let listed = listed(&shown, ", ", brief.waiting_total);
    Some(format!("{} ({listed})", brief.waiting_total))
}

/// What an update tells where no alert joined: what waits beneath, or to what it may be due.
fn of_provider(brief: &IncidentSummary) -> Option<String> {
    let waiting = waiting(brief).map(|waiting| format!("Waiting beneath: {waiting}"));
    let due_to = || {
        let incident = provider_incident(brief)?;
        Some(format!("What it depends on has an incident: {incident}"))
    };
    waiting.or_else(due_to)
}

/// `3 of 5 alerts firing`.
pub fn firing(brief: &IncidentSummary) -> String {
    match (brief.alerts_firing, brief.alerts_total) {
        (1, 1) => "1 alert firing".to_owned(),
        (0, 1) => "1 alert, not firing".to_owned(),
        (firing, total) if firing == total => format!("{total} alerts firing"),
        (firing, total) => format!("{firing} of {total} alerts firing"),
    }
}

/// One line for each alert shown, and one for those that are not.
pub fn alert_lines(brief: &IncidentSummary) -> Vec<String> {
    let shown = &brief.alerts[..brief.alerts.len().min(IncidentSummary::ALERTS_MAX)];
    let mut lines: Vec<String> = shown.iter().map(alert_line).collect();
    let total = usize::try_from(brief.alerts_total).unwrap_or(usize::MAX);
    lines.extend(more(total, shown.len()));
    lines
}

/// `disk full on db1 (critical, db1.example)`; `over` in front of the rest when it does not fire.
fn alert_line(alert: &AlertSummary) -> String {
    let over = (!alert.firing).then(|| "over".to_owned());
    let severity = Some(one_line(&alert.content.severity));
    let source = alert.content.source.as_deref().map(one_line);
    let facts: Vec<String> = [over, severity, source]
        .into_iter()
        .flatten()
        .filter(|fact| !fact.is_empty())
        .collect();
    let summary = one_line(&alert.summary);
    if facts.is_empty() {
        summary
    } else {
        format!("{summary} ({})", facts.join(", "))
    }
}

/// What all its alerts share: `cluster=eu, job=node`; `None` when each alert is its own incident.
pub fn group(brief: &IncidentSummary) -> Option<String> {
    (!brief.group_labels.is_empty()).then(|| {
        let labels = brief.group_labels.iter();
        let pairs: Vec<String> = labels.map(|(name, value)| pair(name, value)).collect();
        pairs.join(", ")
    })
}

/// `name=value` on one line.
pub fn pair(name: &Text, value: &Text) -> String {
    format!("{}={}", one_line(name), one_line(value))
}

/// The links of its alerts that a reader can follow, each once.
pub fn links_of(brief: &IncidentSummary) -> Vec<&Link> {
    let mut links: Vec<&Link> = Vec::new();
    for link in brief.alerts.iter().flat_map(|alert| &alert.content.links) {
        let is_known = links.iter().any(|known| known.href == link.href);
        if !is_known && is_followable(&link.href) {
            links.push(link);
        }
    }
    links
}

/// `… and 3 more links: reveille show 1042`, if a message has not room for all.
pub fn more_links(brief: &IncidentSummary, shown: usize) -> Option<String> {
    let more = links_of(brief).len().saturating_sub(shown);
    let number = brief.incident.number;
    (more > 0).then(|| format!("… and {more} more links: reveille show {number}"))
}

/// Only web addresses without blanks and control characters become links.
fn is_followable(href: &str) -> bool {
    let is_web = href.starts_with("https://") || href.starts_with("http://");
    is_web
        && !href
            .chars()
            .any(|letter| letter.is_whitespace() || is_unwanted(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::ruleset::Medium;

    const LISBON: &str = "Europe/Lisbon";

    fn brief() -> IncidentSummary {
        sample::brief(1042, "disk full on db1")
    }

    #[test]
    fn the_headline_names_urgency_number_and_title_on_one_line() {
        assert_eq!(headline(&brief()), "HIGH #1042 disk full on db1");
        let cases = [
            ("a\r\nBcc: b@example.com", "HIGH #1042 a Bcc: b@example.com"),
            ("\u{1b}[31mred\u{0}", "HIGH #1042 [31mred"),
            ("abc\u{202e}fed", "HIGH #1042 abc fed"),
            (" \u{2028} ", "HIGH #1042 (no title)"),
        ];
        for (title, expected) in cases {
            assert_eq!(headline(&sample::brief(1042, title)), expected);
        }
    }

    #[test]
    fn the_state_names_who_and_when_and_the_day_if_it_is_another_one() {
        let cases = [
            (sample::triggered(), "Triggered"),
            (sample::acknowledged(), "Acknowledged by Ana Silva at 03:12"),
            (
                sample::resolved(),
                "Resolved by prometheus at Wed 13 May 09:02",
            ),
        ];
        for (brief, expected) in cases {
            assert_eq!(state(&brief, LISBON), expected);
        }
    }

    #[test]
    fn since_is_told_on_the_readers_clock() {
        let cases = [
            (LISBON, "Tue 12 May 03:10 WEST"),
            ("Asia/Singapore", "Tue 12 May 10:10 +08"),
            ("UTC", "Tue 12 May 02:10 UTC"),
            ("Nowhere/Never", "Tue 12 May 02:10 UTC"),
        ];
        for (zone, expected) in cases {
            assert_eq!(since(&brief(), zone), expected, "{zone}");
        }
        assert_eq!(since_short(&brief(), LISBON), "Tue 03:10");
    }

    #[test]
    fn why_leads_from_the_route_to_the_schedule() {
        assert_eq!(
            why(&sample::order(Medium::Email).message),
            "route payments-critical → policy payments, step 1 → schedule payments-primary"
        );
    }

    #[test]
    fn alerts_are_listed_with_what_is_known_of_them() {
        let mut brief = brief();
        brief.alerts.push(sample::alert("disk slow", "", None));
        brief.alerts[1].firing = false;
        brief.alerts_total = 14;
        assert_eq!(
            alert_lines(&brief),
            [
                "disk full on db1 (critical, db1.example)",
                "disk slow (over)",
                "and 12 more"
            ]
        );
        brief.alerts_firing = 3;
        assert_eq!(firing(&brief), "3 of 14 alerts firing");
    }

    #[test]
    fn only_web_addresses_become_links_and_each_once() {
        let mut brief = brief();
        let hrefs = [
            "https://wiki.example/disk",
            "https://wiki.example/disk",
            "javascript:alert(1)",
            "https://a b",
            "http://db1.example/",
        ];
        sample::content(&mut brief.alerts[0]).links =
            hrefs.map(|href| sample::link(href, None)).to_vec();
        let found: Vec<&str> = links_of(&brief).iter().map(|link| &*link.href).collect();
        assert_eq!(found, ["https://wiki.example/disk", "http://db1.example/"]);
        let rest = "… and 1 more links: reveille show 1042";
        assert_eq!(more_links(&brief, 1).as_deref(), Some(rest));
        assert_eq!(more_links(&brief, 2), None);
    }

    #[test]
    fn the_headline_counts_what_fires_beside_its_title_and_the_count_is_never_cut() {
        let mut brief = brief();
        brief.alerts_firing = 3;
        assert_eq!(headline(&brief), "HIGH #1042 disk full on db1 +2 more");
        assert_eq!(title_within(&brief, 5), "disk… +2 more");
    }

    #[test]
    fn what_joined_is_named_up_to_three_and_the_rest_counted() {
        let mut message = sample::order(Medium::Email).message;
        let brief = &mut message.incidents[0];
        brief.joined = ["a", "b", "c\n", "d"].map(Into::into).to_vec();
        brief.joined_total = 12;
        assert_eq!(
            news(&message).as_deref(),
            Some("Joined: a, b, c and 9 more")
        );
    }

    #[test]
    fn an_update_says_what_is_new() {
        let cases = [
            (
                UpdateKind::Joined,
                sample::triggered(),
                "More alerts joined: 1 alert firing",
            ),
            (
                UpdateKind::Triggered,
                sample::triggered(),
                "Triggered again: nobody has acknowledged it",
            ),
            (
                UpdateKind::Acknowledged,
                sample::acknowledged(),
                "Acknowledged by Ana Silva at 03:12",
            ),
        ];
        for (tells, brief, expected) in cases {
            let message = sample::update(Medium::Email, tells, brief).message;
            assert_eq!(news(&message).as_deref(), Some(expected));
        }
        assert_eq!(news(&sample::order(Medium::Email).message), None);
    }
}
