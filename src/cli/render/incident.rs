//! Incidents: the list, one in full, and what became of an act.

use serde_json::Value;

use crate::text::clean::blanked;

use super::table::{Table, shorten};
use super::{View, actor, items, joined, list, moment, text, time_format};

/// The list, one line each.
pub fn incidents(answer: &Value, view: &View) -> String {
    let header = [
        "NUMBER", "STATUS", "URGENCY", "SERVICE", "TITLE", "SINCE", "WHO",
    ];
    let mut table = Table::new(&header, 4);
    for incident in items(answer) {
        let since = moment(incident, "opened_at");
        table.row([
            format!("#{}", text(incident, "number")),
            text(incident, "status"),
            text(incident, "urgency"),
            shorten(&text(incident, "service"), 16),
            headline(incident),
            since.map_or_else(String::new, |at| time_format::brief(at, view)),
            shorten(&who(incident), 12),
        ]);
    }
    table.render(view.look, "no incidents")
}

/// Who has it, or who ended it.
fn who(incident: &Value) -> String {
    let resolved = actor(incident, "resolved_by");
    if resolved.is_empty() {
        actor(incident, "acknowledged_by")
    } else {
        resolved
    }
}

/// One incident in full.
pub fn incident(incident: &Value, view: &View) -> String {
    let mut lines = vec![heading(incident), headline(incident), String::new()];
    lines.extend(facts(incident, view));
    lines.extend(alerts(incident));
    lines.extend(pages(incident, view));
    lines.extend(notes(incident, view));
    lines.join("\n")
}

/// What fires now; servers of builds before say only what it was opened with.
fn headline(incident: &Value) -> String {
    let headline = text(incident, "headline");
    if headline.is_empty() {
        text(incident, "title")
    } else {
        headline
    }
}

/// What it was opened with, where that is not what fires now.
fn opened_with(incident: &Value) -> Option<String> {
    let title = text(incident, "title");
    let is_news = !headline(incident).starts_with(&title);
    is_news.then_some(title)
}

fn heading(incident: &Value) -> String {
    let mut words = vec![format!("#{}", text(incident, "number"))];
    for field in ["status", "urgency", "service"] {
        words.push(text(incident, field));
    }
    for (field, word) in [
        ("silenced", "silenced"),
        ("flapping", "flapping"),
        ("still_firing", "still firing"),
    ] {
        if incident.get(field).and_then(Value::as_bool) == Some(true) {
            words.push(word.to_owned());
        }
    }
    words.retain(|word| !word.is_empty());
    words.join("  ")
}

fn facts(incident: &Value, view: &View) -> Vec<String> {
    let time = |field: &str| moment(incident, field).map(|at| time_format::both(at, view));
    let handled = |by: &str, at: &str| {
        let by = actor(incident, by);
        time(at)
            .filter(|_| !by.is_empty())
            .map(|at| format!("{by}, {at}"))
    };
    let policy = text(incident, "policy");
    let policy = if policy.is_empty() {
        "none".to_owned()
    } else {
        policy
    };
    let labels = incident.get("labels").and_then(Value::as_object);
    let labels = labels.filter(|labels| !labels.is_empty()).map(|labels| {
        let names = labels.keys();
        let pairs = names.map(|name| format!("{name}={}", text(&incident["labels"], name)));
        pairs.collect::<Vec<_>>().join(" ")
    });
    let rows = [
        ("since", time("opened_at")),
        ("opened with", opened_with(incident)),
        (
            "acknowledged",
            handled("acknowledged_by", "acknowledged_at"),
        ),
        ("resolved", handled("resolved_by", "resolved_at")),
        ("next step", time("next_step_at")),
        (
            "route",
            Some(format!(
                "{} → policy {policy} (revision {})",
                text(incident, "route"),
                text(incident, "revision")
            )),
        ),
        ("labels", labels.map(|labels| blanked(&labels))),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name:<12}  {value}")))
        .collect()
}

fn alerts(incident: &Value) -> Vec<String> {
    let alerts = list(incident, "alerts");
    if alerts.is_empty() {
        return Vec::new();
    }
    let count = |field: &str| incident.get(field).and_then(Value::as_u64);
    let total = count("alerts_total").unwrap_or(alerts.len() as u64);
    let firing = count("alerts_firing").map_or_else(String::new, |count| format!("{count} of "));
    let mut lines = vec![String::new(), format!("alerts: {firing}{total} firing")];
    if firing.is_empty() {
        lines[1] = format!("alerts: {total}");
    }
    let shown = alerts.iter().flat_map(|alert| {
        let words = [
            format!("{:<8}", text(alert, "status")),
            format!("{:<8}", text(alert, "severity")),
            text(alert, "summary"),
            text(alert, "source"),
        ];
        let head = format!("  {}", words.join("  ").trim_end());
        [head].into_iter().chain(sent(alert))
    });
    lines.extend(shown);
    lines.extend(more(alerts.len(), total, "alerts"));
    lines
}

/// What the monitor sent of an alert: labels, fields, details and links, a line each.
fn sent(alert: &Value) -> Vec<String> {
    let pairs = |field: &str, sign: &str| -> Vec<String> {
        let fields = alert.get(field).and_then(Value::as_object);
        let fields = fields.into_iter().flatten();
        let pairs = fields.map(|(name, value)| format!("{name}{sign}{}", free(value)));
        pairs.collect()
    };
    let named = ["service", "component", "group", "class"].into_iter();
    let named = named.map(|name| (name, text(alert, name)));
    let fields = named.filter(|(_, text)| !text.is_empty());
    let fields = fields.map(|(name, text)| format!("{name}: {text}"));
    let details = match alert.get("details") {
        Some(Value::Object(_)) => pairs("details", ": "),
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![format!("details: {}", free(other))],
    };
    let summary = text(alert, "summary");
    let is_new = |line: &String| {
        line.split_once(": ")
            .is_none_or(|(_, text)| text != summary)
    };
    let details = details.into_iter().filter(is_new);
    let links = list(alert, "links").iter().map(|link| {
        let words = [text(link, "text"), text(link, "href")];
        words.join(" ").trim().to_owned()
    });
    let labels = pairs("labels", "=").into_iter();
    let lines = labels.chain(fields).chain(details).chain(links);
    lines
        .map(|line| format!("            {}", blanked(&line)))
        .collect()
}

/// A value of any form as text.
fn free(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn pages(incident: &Value, view: &View) -> Vec<String> {
    let pages = list(incident, "pages");
    if pages.is_empty() {
        return Vec::new();
    }
    let total = incident.get("pages_total").and_then(Value::as_u64);
    let total = total.unwrap_or(pages.len() as u64);
    let mut lines = vec![String::new(), format!("pages: {total}")];
    let shown = pages.iter().map(|page| {
        let at = moment(page, "created_at");
        let user = text(page, "user");
        let whom = if user.is_empty() {
            text(page, "target")
        } else {
            user
        };
        let words = [
            at.map_or_else(String::new, |at| time_format::clock(at, view)),
            whom,
            by_page(page),
            text(page, "state"),
            text(page, "why"),
        ];
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("  {}", words.join("  "))
    });
    lines.extend(shown);
    lines.extend(more(pages.len(), total, "pages"));
    lines
}

/// As [`by_what`]; messages that only tell say so.
fn by_page(page: &Value) -> String {
    let by = by_what(page);
    match text(page, "kind").as_str() {
        kind @ ("update" | "copy" | "bundle") => format!("{kind}: {by}"),
        _ => by,
    }
}

/// `phone via sms`, as far as it is known.
pub fn by_what(value: &Value) -> String {
    match (text(value, "contact"), text(value, "channel")) {
        (contact, channel) if contact.is_empty() && channel.is_empty() => String::new(),
        (contact, channel) if channel.is_empty() => contact,
        (contact, channel) if contact.is_empty() => format!("via {channel}"),
        (contact, channel) => format!("{contact} via {channel}"),
    }
}

fn notes(incident: &Value, view: &View) -> Vec<String> {
    let notes = list(incident, "notes");
    if notes.is_empty() {
        return Vec::new();
    }
    let shown = notes.iter().map(|note| {
        let at = moment(note, "at").map_or_else(String::new, |at| time_format::local(at, view));
        format!("  {at}  {}: {}", actor(note, "by"), text(note, "text"))
    });
    [String::new(), "notes".to_owned()]
        .into_iter()
        .chain(shown)
        .collect()
}

fn more(shown: usize, total: u64, what: &str) -> Option<String> {
    let hidden = total.saturating_sub(shown as u64);
    (hidden > 0).then(|| format!("  … and {hidden} more {what}"))
}

/// What became of an act on one incident, as a sentence.
pub fn acted(answer: &Value, done: &str, view: &View) -> String {
    let number = text(answer, "number");
    let by = actor(answer, "acknowledged_by");
    let at = moment(answer, "acknowledged_at").map(|at| time_format::both(at, view));
    let mut sentence = match text(answer, "result").as_str() {
        "already_so" if !by.is_empty() => {
            format!(
                "#{number} was already {done} by {by}, {}",
                at.unwrap_or_default()
            )
        }
        "already_so" => format!("#{number} was already {done}"),
        "not_open" => format!("#{number} is resolved; nothing changed"),
        "not_found" => format!("no incident #{number}"),
        _ => format!("#{number} is {done}"),
    };
    let linked = joined(answer, "linked");
    if !linked.is_empty() {
        sentence.push_str(&format!(
            "; its alerts are also in #{}",
            linked.replace(", ", ", #")
        ));
    }
    sentence
}

/// Whether an act did what was asked, or it was so already.
pub fn is_so(answer: &Value) -> bool {
    !matches!(text(answer, "result").as_str(), "not_open" | "not_found")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::view;
    use super::*;
    use crate::cli::context::Look;

    #[test]
    fn the_list_fits_the_terminal_and_says_who_has_what() {
        let answer = json!({"items": [
            {"number": 1042, "status": "triggered", "urgency": "high", "service": "payments-api",
             "title": "Checkout is failing for one in three customers in every region we have",
             "opened_at": "2026-11-23T03:12:00Z"},
            {"number": 7, "status": "acknowledged", "urgency": "low", "service": null,
             "title": "Disk\u{1b}[2J is filling", "opened_at": "2026-11-20T01:00:00Z",
             "acknowledged_by": {"user": "ana", "name": "ana", "via": "link"}},
        ]});
        let expected = "\
NUMBER  STATUS        URGENCY  SERVICE       TITLE                    SINCE            WHO
#1042   triggered     high     payments-api  Checkout is failing fo…  03:12 8m
#7      acknowledged  low                    Disk [2J is filling      Nov 20 01:00 3d  ana";
        let view = View {
            look: Look {
                columns: Some(90),
                ..Look::PLAIN
            },
            ..view()
        };
        let shown = incidents(&answer, &view);
        assert_eq!(shown, expected);
        assert!(shown.lines().all(|line| line.chars().count() <= 90));
        assert_eq!(incidents(&json!({"items": []}), &view), "no incidents");
    }

    #[test]
    fn one_incident_is_shown_with_its_alerts_pages_and_notes() {
        let answer = json!({
            "number": 1042, "status": "acknowledged", "urgency": "high",
            "service": "payments-api", "title": "Checkout is failing",
            "opened_at": "2026-11-23T03:12:04Z",
            "acknowledged_at": "2026-11-23T03:14:00Z",
             "acknowledged_by": {"user": "ana", "name": "ana", "via": "link"},
            "next_step_at": null, "route": "payments-critical", "policy": "payments",
            "revision": 3, "labels": {"cluster": "eu\n\u{1b}[31m-\u{202e}1"},
            "alerts_total": 3, "alerts_firing": 2,
            "alerts": [
                {"status": "firing", "severity": "critical", "summary": "Checkout is failing",
                 "source": "web-1", "labels": {"team": "pay\u{1b}[2J"}, "component": "till",
                 "details": {"summary": "Checkout is failing", "description": "since\n3:00",
                             "codes": [500, 502]},
                 "links": [{"text": "Runbook", "href": "https://wiki.example/till"}]},
                {"status": "resolved", "severity": "error", "summary": "Slow"},
            ],
            "pages_total": 2,
            "pages": [
                {"created_at": "2026-11-23T03:12:05Z", "user": "ana", "contact": "phone",
                 "channel": "sms", "state": "sent",
                 "kind": "page", "why": "route payments-critical → policy payments, step 1"},
                {"created_at": "2026-11-23T03:14:00Z", "user": "ana", "contact": "mail",
                 "channel": "relay", "state": "sent", "kind": "update",
                 "why": "route payments-critical → policy payments, step 1"},
            ],
            "notes": [{"at": "2026-11-23T03:15:00Z",
             "by": {"user": "ana", "name": "ana", "via": "api"}, "text": "looking"}],
        });
        let expected = "\
#1042  acknowledged  high  payments-api
Checkout is failing

since         03:12 (7m ago)
acknowledged  ana, 03:14 (6m ago)
route         payments-critical → policy payments (revision 3)
labels        cluster=eu  [31m- 1

alerts: 2 of 3 firing
  firing    critical  Checkout is failing  web-1
            team=pay [2J
            component: till
            codes: [500,502]
            description: since 3:00
            Runbook https://wiki.example/till
  resolved  error     Slow
  … and 1 more alerts

pages: 2
  03:12:05  ana  phone via sms  sent  route payments-critical → policy payments, step 1
  03:14:00  ana  update: mail via relay  sent  route payments-critical → policy payments, step 1

notes
  03:15  ana: looking";
        assert_eq!(incident(&answer, &view()), expected);
    }

    #[test]
    fn an_act_is_told_as_a_sentence() {
        let cases = [
            (json!({"number": 5, "result": "done"}), "#5 is acknowledged"),
            (
                json!({"number": 5, "result": "already_so",
                 "acknowledged_by": {"user": "bo", "name": "bo", "via": "link"},
                       "acknowledged_at": "2026-11-23T03:18:00Z"}),
                "#5 was already acknowledged by bo, 03:18 (2m ago)",
            ),
            (
                json!({"number": 5, "result": "done", "linked": [6, 7]}),
                "#5 is acknowledged; its alerts are also in #6, #7",
            ),
            (
                json!({"number": 5, "result": "not_open"}),
                "#5 is resolved; nothing changed",
            ),
            (
                json!({"number": 5, "result": "not_found"}),
                "no incident #5",
            ),
        ];
        for (answer, expected) in cases {
            assert_eq!(acted(&answer, "acknowledged", &view()), expected);
        }
    }
}
