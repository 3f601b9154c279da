//! Incidents: the list, one in full, and what became of an act.

use serde_json::Value;

use crate::api::wire::actor::Actor;
use crate::api::wire::alert::Alert;
use crate::api::wire::incident::{Acted, Incident};
use crate::api::wire::page::Page;
use crate::text::clean::blanked;

use super::table::{Table, shorten};
use super::{View, both, clean, hashed, local, moment, name, or, rows, spaced, time_format};

/// The list, one line each.
pub fn incidents(incidents: &[Incident], view: &View) -> String {
    let mut table = Table::new("NUMBER, STATUS, URGENCY, SERVICE, TITLE, SINCE, WHO", 4);
    for incident in incidents {
        let since = moment(&incident.opened_at);
        let who = incident.resolved_by.as_ref();
        let who = who.or(incident.acknowledged_by.as_ref());
        table.row([
            format!("#{}", incident.number),
            incident.status.clone(),
            incident.urgency.clone(),
            shorten(&clean(&incident.service), 16),
            incident.headline.clone(),
            since.map_or_else(String::new, |at| time_format::brief(at, view)),
            shorten(&clean(who.map(|who| &who.name)), 12),
        ]);
    }
    table.render(view.look, "no incidents")
}

/// One incident in full.
pub fn incident(incident: &Incident, view: &View) -> String {
    let headline = blanked(&incident.headline);
    let mut lines = vec![heading(incident), headline, String::new()];
    lines.extend(facts(incident, view));
    lines.extend(alerts(incident));
    lines.extend(pages(incident, view));
    lines.extend(notes(incident, view));
    lines.join("\n")
}

/// What it was opened with, where that is not what fires now.
fn opened_with(incident: &Incident) -> Option<String> {
    let title = blanked(&incident.title);
    let is_news = !blanked(&incident.headline).starts_with(&title);
    is_news.then_some(title)
}

fn heading(incident: &Incident) -> String {
    let mut words = vec![
        format!("#{}", incident.number),
        blanked(&incident.status),
        blanked(&incident.urgency),
        clean(&incident.service),
    ];
    let flags = [
        (incident.silenced, "silenced"),
        (incident.held_under.is_some(), "held"),
        (incident.flapping, "flapping"),
        (incident.still_firing, "still firing"),
    ];
    let flags = flags.into_iter().filter(|(is_so, _)| *is_so);
    words.extend(flags.map(|(_, word)| word.to_owned()));
    spaced(words)
}

/// The provider's incident that it may be due to, or waits under.
fn waits_under(incident: &Incident) -> String {
    match (incident.held_under, incident.provider_incident) {
        (Some(under), _) => format!("#{under}, an incident of a provider"),
        (None, Some(told)) => format!("nothing; may be due to #{told}, an incident of a provider"),
        (None, None) => String::new(),
    }
}

/// `2 incidents (#15, #16)`
fn waiting(incident: &Incident) -> String {
    let shown = incident.waiting.iter().map(|number| format!("#{number}"));
    let shown: Vec<String> = shown.take(10).collect();
    match incident.waiting_total {
        0 => String::new(),
        1 => format!("1 incident ({})", shown.join(", ")),
        total => format!("{total} incidents ({})", shown.join(", ")),
    }
}

fn facts(incident: &Incident, view: &View) -> Vec<String> {
    let handled = |by: &Option<Actor>, at: &Option<String>| match (name(by), both(at, view)) {
        (by, at) if by.is_empty() || at.is_empty() => String::new(),
        (by, at) => format!("{by}, {at}"),
    };
    let policy = or(clean(&incident.policy), "none");
    let (route, revision) = (blanked(&incident.route), incident.revision);
    let labels = incident.labels.iter();
    let labels = labels.map(|(name, value)| format!("{name}={}", blanked(value)));
    let labels = blanked(&labels.collect::<Vec<_>>().join(" "));
    let acknowledged = handled(&incident.acknowledged_by, &incident.acknowledged_at);
    let resolved = handled(&incident.resolved_by, &incident.resolved_at);
    let facts = [
        ("since", both(&incident.opened_at, view)),
        ("opened with", opened_with(incident).unwrap_or_default()),
        ("acknowledged", acknowledged),
        ("resolved", resolved),
        ("next step", both(&incident.next_step_at, view)),
        ("waits under", waits_under(incident)),
        ("waiting", waiting(incident)),
        (
            "route",
            format!("{route} → policy {policy} (revision {revision})"),
        ),
        ("labels", labels),
    ];
    rows(12, facts).collect()
}

fn alerts(incident: &Incident) -> Vec<String> {
    let alerts = incident.alerts.as_deref().unwrap_or_default();
    if alerts.is_empty() {
        return Vec::new();
    }
    let (firing, total) = (incident.alerts_firing, incident.alerts_total);
    let mut lines = vec![String::new(), format!("alerts: {firing} of {total} firing")];
    let shown = alerts.iter().flat_map(|alert| {
        let words = [
            format!("{:<8}", blanked(&alert.status)),
            format!("{:<8}", blanked(&alert.severity)),
            blanked(&alert.summary),
            clean(&alert.source),
        ];
        let head = format!("  {}", words.join("  ").trim_end());
        [head].into_iter().chain(sent(alert))
    });
    lines.extend(shown);
    lines.extend(more(alerts.len(), total, "alerts"));
    lines
}

/// What the monitor sent of an alert: labels, fields, details and links, a line each.
fn sent(alert: &Alert) -> Vec<String> {
    let labels = alert.labels.iter();
    let labels = labels.map(|(name, value)| format!("{name}={value}"));
    let fields = [
        ("service", &alert.service),
        ("component", &alert.component),
        ("group", &alert.group),
        ("class", &alert.class),
    ];
    let fields = fields.into_iter().filter_map(|(name, text)| {
        let text = text.as_ref().filter(|text| !text.is_empty())?;
        Some(format!("{name}: {text}"))
    });
    let details: Vec<(&str, String)> = match &alert.details {
        Some(Value::Object(details)) => {
            let details = details.iter();
            details
                .map(|(name, value)| (&**name, free(value)))
                .collect()
        }
        Some(Value::Null) | None => Vec::new(),
        Some(details) => vec![("details", free(details))],
    };
    let details = details.into_iter();
    let details = details.filter(|(_, text)| *text != alert.summary);
    let details = details.map(|(name, text)| format!("{name}: {text}"));
    let links = alert.links.iter();
    let links = links.map(|link| format!("{} {}", clean(&link.text), link.href));
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

fn pages(incident: &Incident, view: &View) -> Vec<String> {
    let pages = incident.pages.as_deref().unwrap_or_default();
    if pages.is_empty() {
        return Vec::new();
    }
    let total = incident.pages_total.unwrap_or(pages.len() as u64);
    let mut lines = vec![String::new(), format!("pages: {total}")];
    let shown = pages.iter().map(|page| {
        let at = moment(&page.created_at);
        let words = [
            at.map_or_else(String::new, |at| time_format::clock(at, view)),
            clean(page.user.as_ref().or(page.target.as_ref())),
            by_page(page),
            blanked(&page.state),
            blanked(&page.why),
        ];
        format!("  {}", spaced(words))
    });
    lines.extend(shown);
    lines.extend(more(pages.len(), total, "pages"));
    lines
}

/// As [`by_what`]; messages that only tell say so.
fn by_page(page: &Page) -> String {
    let by = by_what(&page.contact, &page.channel);
    match page.kind.as_str() {
        kind @ ("update" | "copy" | "bundle") => format!("{kind}: {by}"),
        _ => by,
    }
}

/// `phone via sms`, as far as it is known.
pub fn by_what<'text>(
    contact: impl Into<Option<&'text String>>,
    channel: impl Into<Option<&'text String>>,
) -> String {
    match (clean(contact), clean(channel)) {
        (contact, channel) if channel.is_empty() => contact,
        (contact, channel) if contact.is_empty() => format!("via {channel}"),
        (contact, channel) => format!("{contact} via {channel}"),
    }
}

fn notes(incident: &Incident, view: &View) -> Vec<String> {
    if incident.notes.is_empty() {
        return Vec::new();
    }
    let shown = incident.notes.iter().map(|note| {
        let (at, by) = (local(&note.at, view), blanked(&note.by.name));
        format!("  {at}  {by}: {}", blanked(&note.text))
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
pub fn acted(acted: &Acted, done: &str, view: &View) -> String {
    let number = acted.number;
    let by = name(&acted.acknowledged_by);
    let mut sentence = match acted.result.as_str() {
        "already_so" if !by.is_empty() => {
            let at = both(&acted.acknowledged_at, view);
            format!("#{number} was already {done} by {by}, {at}")
        }
        "already_so" => format!("#{number} was already {done}"),
        "not_open" => format!("#{number} is resolved; nothing changed"),
        "not_found" => format!("no incident #{number}"),
        _ => format!("#{number} is {done}"),
    };
    if !acted.linked.is_empty() {
        let linked = hashed(&acted.linked);
        sentence.push_str(&format!("; its alerts are also in {linked}"));
    }
    sentence
}

/// Whether an act did what was asked, or it was so already.
pub fn is_so(acted: &Acted) -> bool {
    !matches!(acted.result.as_str(), "not_open" | "not_found")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::context::Look;
    use crate::cli::tests::samples::{self, sample, view, with};

    #[test]
    fn the_list_fits_the_terminal_and_says_who_has_what() {
        let headline = "Checkout is failing for one in three customers in every region we have";
        let answer = json!([
            with(
                samples::incident(1042),
                json!({"service": "payments-api", "headline": headline,
             "opened_at": "2026-11-23T03:12:00Z"})
            ),
            with(
                samples::incident(7),
                json!({"status": "acknowledged", "urgency": "low",
             "headline": "Disk\u{1b}[2J is filling", "opened_at": "2026-11-20T01:00:00Z",
             "acknowledged_by": samples::actor("ana")})
            ),
        ]);
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
        let shown = incidents(&sample::<Vec<_>>(&answer), &view);
        assert_eq!(shown, expected);
        assert!(shown.lines().all(|line| line.chars().count() <= 90));
        assert_eq!(incidents(&[], &view), "no incidents");
    }

    #[test]
    fn one_incident_is_shown_with_its_alerts_pages_and_notes() {
        let answer = json!({
            "status": "acknowledged", "service": "payments-api", "title": "Checkout is failing",
            "headline": "Checkout is failing", "opened_at": "2026-11-23T03:12:04Z",
            "acknowledged_at": "2026-11-23T03:14:00Z", "acknowledged_by": samples::actor("ana"),
            "route": "payments-critical", "policy": "payments",
            "labels": {"cluster": "eu\n\u{1b}[31m-\u{202e}1"},
            "alerts_total": 3, "alerts_firing": 2,
            "alerts": [
                with(samples::alert("Checkout is failing"), json!({
                 "source": "web-1", "labels": {"team": "pay\u{1b}[2J"}, "component": "till",
                 "details": {"summary": "Checkout is failing", "description": "since\n3:00",
                             "codes": [500, 502]},
                 "links": [{"text": "Runbook", "href": "https://wiki.example/till"}]})),
                with(samples::alert("Slow"), json!({"status": "resolved", "severity": "error"})),
            ],
            "pages_total": 2,
            "pages": [
                with(samples::page("page"), json!({
                 "why": "route payments-critical → policy payments, step 1"})),
                with(samples::page("update"), json!({
                 "created_at": "2026-11-23T03:14:00Z", "contact": "mail", "channel": "relay",
                 "why": "route payments-critical → policy payments, step 1"})),
            ],
            "notes": [{"at": "2026-11-23T03:15:00Z", "by": samples::actor("ana"),
                       "text": "looking"}],
        });
        let answer = with(samples::incident(1042), answer);
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
        assert_eq!(incident(&sample(&answer), &view()), expected);
    }

    #[test]
    fn an_act_is_told_as_a_sentence() {
        let first = json!({"acknowledged_by": samples::actor("bo"),
                           "acknowledged_at": "2026-11-23T03:18:00Z"});
        let cases = [
            ("done", json!({}), "#5 is acknowledged"),
            (
                "already_so",
                first,
                "#5 was already acknowledged by bo, 03:18 (2m ago)",
            ),
            (
                "done",
                json!({"linked": [6, 7]}),
                "#5 is acknowledged; its alerts are also in #6, #7",
            ),
            ("not_open", json!({}), "#5 is resolved; nothing changed"),
            ("not_found", json!({}), "no incident #5"),
        ];
        for (result, fields, expected) in cases {
            let answer = with(samples::acted(5, result), fields);
            assert_eq!(acted(&sample(&answer), "acknowledged", &view()), expected);
        }
    }
}
