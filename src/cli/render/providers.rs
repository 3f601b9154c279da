//! Watched providers and probed pages.

use super::table::Table;
use super::{View, clean, local, rows};
use crate::api::wire::provider::{ProbedPage, WatchedProvider};
use crate::status::catalogue::CatalogueEntry;
use crate::text::clean::blanked;

/// Incidents of a probed page that are shown.
const INCIDENTS_SHOWN: usize = 20;

/// Components of a probed page that are shown.
const COMPONENTS_SHOWN: usize = 40;

/// All watched providers.
pub fn list(providers: &[WatchedProvider], view: &View) -> String {
    let mut table = Table::new("PROVIDER, STATE, KIND, LAST LOOK, OPEN, PROBLEM", 5);
    for provider in providers {
        let open = provider.incidents.iter().map(|incident| &incident.title);
        let down = provider.components.iter().map(|component| &component.name);
        let open: Vec<String> = open.chain(down).map(|title| blanked(title)).collect();
        table.row([
            provider.name.clone(),
            provider.state.clone(),
            clean(&provider.kind),
            local(&provider.last_look_at, view),
            open.first().cloned().unwrap_or_default(),
            clean(&provider.problem),
        ]);
    }
    table.render(
        view.look,
        "no providers are watched: add `providers:` to the rules",
    )
}

/// One watched provider.
pub fn one(provider: &WatchedProvider, view: &View) -> String {
    let mut lines: Vec<String> = rows(
        12,
        [
            ("provider", provider.name.clone()),
            ("page", clean(&provider.page_name)),
            ("address", provider.url.clone()),
            ("kind", clean(&provider.kind)),
            ("state", provider.state.clone()),
            ("problem", clean(&provider.problem)),
            ("unknown since", local(&provider.unknown_since, view)),
            ("moved to", clean(&provider.moved_to)),
            ("last look", local(&provider.last_look_at, view)),
            ("next look", local(&provider.next_look_at, view)),
            ("components", provider.components_total.to_string()),
            ("unknown words", blanked(&provider.unknown_words.join(", "))),
        ],
    )
    .collect();
    for incident in &provider.incidents {
        lines.push(String::new());
        lines.push(format!(
            "{}: {} ({})",
            incident.impact,
            blanked(&incident.title),
            blanked(&incident.page_state)
        ));
        lines.push(format!(
            "  {}",
            decision(&incident.numbers, &incident.urgency, &incident.not_alerted)
        ));
        lines.extend(incident.url.iter().map(|url| format!("  {}", blanked(url))));
        let text = blanked(&incident.text);
        lines.extend((!text.is_empty()).then(|| format!("  {text}")));
    }
    for component in &provider.components {
        lines.push(String::new());
        lines.push(format!("{}: {}", component.state, blanked(&component.name)));
        lines.push(format!(
            "  {}",
            decision(&component.numbers, &None, &component.not_alerted)
        ));
    }
    if !provider.past.is_empty() {
        lines.push(String::new());
        let mut table = Table::new("OVER, IMPACT, TITLE", 2);
        for past in &provider.past {
            table.row([
                local(&past.ended_at, view),
                past.impact.clone(),
                blanked(&past.title),
            ]);
        }
        lines.push(table.render(view.look, ""));
    }
    lines.join("\n")
}

/// What was done about something open.
fn decision(numbers: &[u64], urgency: &Option<String>, not_alerted: &Option<String>) -> String {
    if let Some(why) = not_alerted {
        return format!("pages nobody: {}", blanked(why));
    }
    let numbers: Vec<String> = numbers.iter().map(|number| format!("#{number}")).collect();
    let urgency = urgency
        .as_deref()
        .map(|urgency| format!(", {urgency} urgency"));
    match numbers.is_empty() {
        true => "its alert has no open incident".to_owned(),
        false => format!(
            "incident {}{}",
            numbers.join(", "),
            urgency.unwrap_or_default()
        ),
    }
}

/// A probed page.
pub fn probed(page: &ProbedPage, view: &View) -> String {
    let kind = page.kind_name.as_ref().or(page.kind.as_ref());
    let mut lines: Vec<String> = rows(
        12,
        [
            ("page", clean(&page.page_name)),
            ("address", blanked(&page.url)),
            ("kind", clean(kind)),
            ("problem", clean(&page.problem)),
            ("components", page.components.len().to_string()),
            ("ambiguous", blanked(&page.ambiguous.join(", "))),
            ("unknown words", blanked(&page.unknown_words.join(", "))),
            ("not readable", not_readable(page.skipped)),
        ],
    )
    .collect();
    if page.problem.is_some() {
        let mut table = Table::new("ASKED, ANSWER", 1);
        for asked in &page.asked {
            table.row([blanked(&asked.url), blanked(&asked.outcome)]);
        }
        lines.push(String::new());
        lines.push(table.render(view.look, ""));
        return lines.join("\n");
    }
    if !page.components.is_empty() {
        let mut table = Table::new("COMPONENT, STATE, USED", 0);
        for component in page.components.iter().take(COMPONENTS_SHOWN) {
            let used = if component.is_used { "yes" } else { "no" };
            table.row([
                blanked(&component.name),
                component.state.clone(),
                used.to_owned(),
            ]);
        }
        lines.push(String::new());
        lines.push(table.render(view.look, ""));
        lines.extend(crate::text::more(page.components.len(), COMPONENTS_SHOWN));
    }
    let mut table = Table::new("BEGAN, IMPACT, STATE, INCIDENT, AS IF IT WERE NEW", 3);
    for incident in page.incidents.iter().take(INCIDENTS_SHOWN) {
        let judged = match (&incident.urgency, &incident.not_alerted) {
            (Some(urgency), _) => format!("pages, {urgency} urgency"),
            (None, why) => format!("pages nobody: {}", clean(why)),
        };
        table.row([
            local(&incident.started_at, view),
            incident.impact.clone(),
            incident.phase.clone(),
            blanked(&incident.title),
            judged,
        ]);
    }
    lines.push(String::new());
    lines.push(table.render(view.look, "no incidents"));
    lines.extend(crate::text::more(page.incidents.len(), INCIDENTS_SHOWN));
    lines.push(String::new());
    lines.push("for the rules:".to_owned());
    lines.extend(
        page.rules
            .lines()
            .map(|line| format!("  {}", line.trim_end())),
    );
    lines.join("\n")
}

/// How many rows of a page could not be read; nothing where all could.
fn not_readable(rows: u64) -> String {
    match rows {
        0 => String::new(),
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

/// Entries of the catalogue.
pub fn catalogue(entries: &[CatalogueEntry], view: &View) -> String {
    let mut table = Table::new("NAME, ADDRESS, KIND, SEEN", 1);
    for entry in entries {
        table.row([
            entry.name.to_owned(),
            entry.url.to_owned(),
            entry.kind.to_owned(),
            entry.seen.to_owned(),
        ]);
    }
    table.render(view.look, "nothing")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::{sample, view};

    #[test]
    fn a_probe_shows_what_would_have_paged_and_what_to_write() {
        let page: ProbedPage = sample(&json!({
            "url": "https://status.example.com", "kind": "statuspage",
            "kind_name": "Atlassian Statuspage", "page_name": "Help\u{1b}line", "problem": null,
            "asked": [], "components": [{"id": "c", "name": "API", "state": "operational",
            "is_used": true}], "ambiguous": [], "unknown_words": ["impact \"MEDIUM\""],
            "skipped": 2, "rules": "providers:\n  helpline: { url: \"x\" }\n",
            "incidents": [{"id": "i", "title": "Logins fail", "impact": "major", "phase": "closed",
            "is_maintenance": false, "started_at": "2026-11-23T02:00:00Z", "components": [],
            "urgency": "high", "not_alerted": null}]
        }));
        let text = probed(&page, &view());
        for part in [
            "page          Help line",
            "kind          Atlassian Statuspage",
            "not readable  2 rows",
            "pages, high urgency",
            "  helpline: { url: \"x\" }",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let unknown = ProbedPage {
            problem: Some("it is of no kind that is known".to_owned()),
            asked: vec![crate::api::wire::provider::AskedAddress {
                url: "https://status.example.com/index.json".to_owned(),
                outcome: "404, of no kind that is known".to_owned(),
            }],
            ..page
        };
        let text = probed(&unknown, &view());
        assert!(text.contains("/index.json  404"), "{text}");
        assert!(!text.contains("for the rules"), "{text}");
    }

    #[test]
    fn what_is_open_says_which_incident_it_is_in_or_why_it_pages_nobody() {
        let incident = |numbers: &[u64], why: Option<&str>| {
            decision(
                numbers,
                &why.map_or(Some("low".to_owned()), |_| None),
                &why.map(str::to_owned),
            )
        };
        assert_eq!(incident(&[4, 7], None), "incident #4, #7, low urgency");
        assert_eq!(incident(&[], None), "its alert has no open incident");
        assert_eq!(incident(&[], Some("left out")), "pages nobody: left out");
    }
}
