//! Timelines: one line an entry, so that a night reads as a story. Also single receipts.

use std::collections::BTreeMap;

use comfy_table::Table as Comfy;
use unicode_width::UnicodeWidthStr;

use super::incident::by_what;
use super::table::{self, GAP, Table, lay_out, shorten};
use super::{View, both, clean, hashed, joined, local, moment, spaced, time_format};
use crate::api::wire::entry::Entry;
use crate::api::wire::receipt::Receipt;
use crate::cli::context::Look;
use crate::text::clean::blanked;

/// Longer names are cut.
const WHO_MAX: usize = 16;
/// Without a terminal the reasons stand behind texts of up to this width; longer ones push them.
const WHAT_MAX: usize = 52;
/// What a text keeps on the narrowest terminal.
const ELASTIC_MIN: u16 = 18;
/// On a terminal the reasons stand beside the texts while so much is left for these.
const WHAT_MIN: usize = 36;

struct TimelineRow {
    day: String,
    /// What stands before the text: clock, incident, who.
    lead: [String; 3],
    what: String,
    why: String,
}

/// A timeline; entries of several incidents name theirs.
pub fn story(entries: &[Entry], view: &View) -> String {
    let tellings = tellings(entries);
    let lines = entries.iter().map(|entry| line(entry, &tellings, view));
    let lines: Vec<TimelineRow> = lines.collect();
    if lines.is_empty() {
        return "nothing recorded".to_owned();
    }
    let zone = view.zone.iana_name().unwrap_or("local time");
    let mut shown = Vec::new();
    let mut day = "";
    let mut entries = lines.iter();
    for row in rows(&lines, view.look) {
        // The further lines of a long text begin with spaces.
        let entry = if row.starts_with(' ') {
            None
        } else {
            entries.next()
        };
        if let Some(line) = entry.filter(|line| line.day != day) {
            shown.push(format!("{}, {zone}", line.day));
            day = &line.day;
        }
        shown.push(row);
    }
    shown.join("\n")
}

/// The entries in columns. On a terminal the reasons stand in a column of their own or, where it is
/// too narrow, beneath the texts.
fn rows(lines: &[TimelineRow], look: Look) -> Vec<String> {
    let longest = |cell: &dyn Fn(&TimelineRow) -> &str| {
        let widths = lines.iter().map(|line| cell(line).width());
        widths.max().unwrap_or(0)
    };
    let is_mixed = lines
        .windows(2)
        .any(|pair| pair[0].lead[1] != pair[1].lead[1]);
    let mut leads = vec![0, 1, 2];
    leads.retain(|lead| match lead {
        1 => is_mixed,
        lead => longest(&|line| &line.lead[*lead]) > 0,
    });
    let gap = usize::from(GAP);
    let lead_width = |lead: &usize| longest(&|line| &line.lead[*lead]) + gap;
    let lead: usize = leads.iter().map(lead_width).sum();
    let (what, why) = (longest(&|line| &line.what), longest(&|line| &line.why));
    let left = look.columns.map(|columns| columns.saturating_sub(lead));
    let is_beside = left.map(|left| left.saturating_sub(gap + why) >= what.min(WHAT_MIN));
    let mut table = Comfy::new();
    for line in lines {
        let mut cells: Vec<&str> = leads.iter().map(|lead| &*line.lead[*lead]).collect();
        let text = match is_beside {
            None => {
                let room = what.min(WHAT_MAX).saturating_sub(line.what.width());
                format!("{}{:room$}  {}", line.what, "", line.why)
            }
            Some(false) if !line.why.is_empty() => format!("{}\n{}", line.what, line.why),
            Some(_) => line.what.clone(),
        };
        cells.push(&text);
        cells.extend((is_beside == Some(true)).then_some(&*line.why));
        table.add_row(cells);
    }
    lay_out(&mut table, leads.len(), ELASTIC_MIN, look);
    table::lines(&table)
}

/// Pages that only tell, by their ids, each with its word: so that nobody takes the news of an
/// acknowledgment for another page.
fn tellings(entries: &[Entry]) -> BTreeMap<u64, &'static str> {
    let told = entries.iter().filter_map(|entry| {
        let word = match entry.reason.as_str() {
            "update_sent" => "update",
            "copy_posted" => "copy",
            _ => return None,
        };
        Some((entry.page?, word))
    });
    told.collect()
}

fn line(entry: &Entry, tellings: &BTreeMap<u64, &'static str>, view: &View) -> TimelineRow {
    let at = moment(&entry.at);
    let what = what(entry, view);
    TimelineRow {
        day: at.map_or_else(String::new, |at| time_format::day(at, view)),
        lead: [
            at.map_or_else(|| "--:--:--".to_owned(), |at| time_format::clock(at, view)),
            format!("#{}", entry.incident),
            shorten(&clean(&entry.user), WHO_MAX),
        ],
        what: match entry.page.and_then(|page| tellings.get(&page)) {
            Some(word) => format!("{word}: {what}"),
            None => what,
        },
        why: why(entry),
    }
}

/// An attempt that ended says how; everything else has its text.
fn what(entry: &Entry, view: &View) -> String {
    let Some(outcome) = &entry.outcome else {
        let said = blanked(&entry.text);
        return match moment(&entry.held_until) {
            Some(until) => format!("{said} until {}", time_format::minute(until, view)),
            None if said.is_empty() => blanked(&entry.reason),
            None => said,
        };
    };
    let outcome = blanked(outcome);
    let latency = entry.latency_ms;
    let latency = latency.map_or_else(String::new, |ms| format!(" {}", time_format::latency(ms)));
    let said = clean(&entry.provider_message);
    let is_sent = matches!(outcome.as_str(), "delivered" | "accepted");
    let said = if is_sent || said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    let by = by_what(&entry.contact, &entry.channel);
    format!("{by}  {outcome}{latency}{said}").trim().to_owned()
}

/// `route payments → step 1 → schedule night`, as far as it applies.
fn why(entry: &Entry) -> String {
    let parts = [
        ("route", clean(&entry.route)),
        ("policy", clean(&entry.policy)),
        (
            "step",
            entry.step.map_or_else(String::new, |step| step.to_string()),
        ),
        ("schedule", clean(&entry.schedule)),
    ];
    let parts = parts.into_iter().filter(|(_, value)| !value.is_empty());
    let parts = parts.map(|(word, value)| format!("{word} {value}"));
    parts.collect::<Vec<_>>().join(" → ")
}

/// Receipts, one line each: events that paged nobody, and why.
pub fn quiet(receipts: &[Receipt], view: &View) -> String {
    let mut table = Table::new("AT, RECEIPT, INTEGRATION, EVENT, DISPOSITION, WHY", 3);
    for receipt in receipts {
        let summary = receipt.summary.as_ref().filter(|text| !text.is_empty());
        table.row([
            local(&receipt.at, view),
            receipt.id.clone(),
            receipt.integration.clone(),
            summary.unwrap_or(&receipt.dedup_key).clone(),
            receipt.disposition.clone(),
            receipt.reason.clone(),
        ]);
    }
    table.render(view.look, "")
}

/// What became of one event, and why.
pub fn receipt(receipt: &Receipt, view: &View) -> String {
    let event = [
        blanked(&receipt.action),
        clean(&receipt.severity),
        clean(&receipt.summary),
    ];
    let (meaning, reason) = (blanked(&receipt.text), blanked(&receipt.reason));
    let facts = [
        ("received", both(&receipt.at, view)),
        ("event", spaced(event)),
        ("integration", blanked(&receipt.integration)),
        ("dedup key", blanked(&receipt.dedup_key)),
        ("disposition", blanked(&receipt.disposition)),
        ("because", format!("{meaning} ({reason})")),
        ("routes", joined(&receipt.routes)),
        ("incidents", hashed(&receipt.incidents)),
    ];
    let mut lines = vec![format!("receipt {}", blanked(&receipt.id))];
    lines.extend(super::rows(12, facts));
    let faults = receipt.faults.iter();
    lines.extend(faults.map(|fault| {
        let (path, problem) = (blanked(&fault.path), blanked(&fault.problem));
        format!("{:<12}  {path}: {problem}", "fault")
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::{self, entries, sample, view, with};

    #[test]
    fn a_timeline_reads_as_a_story() {
        let entries_ = entries(json!([
            {"at": "2026-11-22T23:59:58Z", "kind": "incident", "reason": "opened", "incident": 5,
             "text": "opened: Checkout is failing", "route": "payments"},
            {"at": "2026-11-23T03:12:04Z", "kind": "attempt", "reason": "attempt_ended",
             "incident": 5, "text": "", "user": "ana", "contact": "phone", "channel": "twilio",
             "outcome": "accepted", "latency_ms": 412, "route": "pay", "step": 1,
             "schedule": "night", "provider_message": "queued"},
            {"at": "2026-11-23T03:13:00Z", "kind": "attempt", "reason": "attempt_ended",
             "incident": 5, "user": "bo", "contact": "mail", "channel": "relay",
             "outcome": "refused_target", "latency_ms": 80, "provider_message": "550 no"},
            {"at": "2026-11-23T03:14:00Z", "kind": "person", "reason": "acknowledged",
             "incident": 5, "text": "ana acknowledged via api", "user": "ana"},
        ]));
        let expected = "\
Sun 22 Nov 2026, Europe/Lisbon
23:59:58       opened: Checkout is failing                   route payments
Mon 23 Nov 2026, Europe/Lisbon
03:12:04  ana  phone via twilio  accepted 0.4 s              route pay → step 1 → schedule night
03:13:00  bo   mail via relay  refused_target 0.1 s: 550 no
03:14:00  ana  ana acknowledged via api";
        assert_eq!(story(&entries_, &view()), expected);
        assert_eq!(story(&[], &view()), "nothing recorded");
    }

    #[test]
    fn a_page_over_the_limit_is_held_until_a_time_on_the_readers_clock() {
        let entries_ = entries(json!([
            {"at": "2026-07-23T03:12:04Z", "reason": "over_page_limit", "user": "ana",
             "text": "over the page limit; held", "held_until": "2026-07-23T03:12:59Z"},
        ]));
        let expected = "\
Thu 23 Jul 2026, Europe/Lisbon
04:12:04  ana  over the page limit; held until 04:12";
        assert_eq!(story(&entries_, &view()), expected);
    }

    #[test]
    fn news_and_copies_are_told_apart_from_pages() {
        let entries_ = entries(json!([
            {"at": "2026-11-23T03:12:04Z", "reason": "page_planned", "page": 1, "user": "ana",
             "text": "relay → ana by mail (email)"},
            {"at": "2026-11-23T03:12:04Z", "reason": "copy_posted", "page": 2,
             "text": "slack → #payments"},
            {"at": "2026-11-23T03:14:00Z", "reason": "update_sent", "page": 3, "user": "ana",
             "text": "relay → ana by mail (email)"},
            {"at": "2026-11-23T03:14:01Z", "reason": "attempt_ended", "page": 3, "user": "ana",
             "contact": "mail", "channel": "relay", "outcome": "accepted", "latency_ms": 80},
        ]));
        let expected = "\
Mon 23 Nov 2026, Europe/Lisbon
03:12:04  ana  relay → ana by mail (email)
03:12:04       copy: slack → #payments
03:14:00  ana  update: relay → ana by mail (email)
03:14:01  ana  update: mail via relay  accepted 0.1 s";
        assert_eq!(story(&entries_, &view()), expected);
    }

    fn on_terminal(columns: usize) -> View {
        let look = Look {
            columns: Some(columns),
            ..Look::PLAIN
        };
        View { look, ..view() }
    }

    #[test]
    fn long_texts_keep_to_their_column_on_a_terminal_and_are_whole_without_one() {
        let title = "opened by native: the checkout fails for one in three customers everywhere";
        let entries_ = entries(json!([
            {"at": "2026-11-23T03:12:04Z", "text": title, "route": "payments"},
            {"at": "2026-11-23T03:12:05Z", "text": "step 1: pages ana", "user": "ana",
             "route": "payments", "step": 1},
        ]));
        let wide = "\
Mon 23 Nov 2026, Europe/Lisbon
03:12:04       opened by native: the checkout fails for  route payments
               one in three customers everywhere
03:12:05  ana  step 1: pages ana                         route payments → step 1";
        let narrow = "\
Mon 23 Nov 2026, Europe/Lisbon
03:12:04       opened by native: the checkout
               fails for one in three
               customers everywhere
               route payments
03:12:05  ana  step 1: pages ana
               route payments → step 1";
        for (columns, expected) in [(80, wide), (45, narrow)] {
            let shown = story(&entries_, &on_terminal(columns));
            assert_eq!(shown, expected, "{shown}");
            let longest = shown.lines().map(UnicodeWidthStr::width).max();
            assert!(longest <= Some(columns), "{shown}");
        }
        assert!(story(&entries_, &view()).contains(title));
    }

    #[test]
    fn entries_of_several_incidents_name_theirs() {
        let entries_ = entries(json!([
            {"at": "2026-11-23T03:12:04Z", "incident": 5, "user": "ana", "text": "paged"},
            {"at": "2026-11-23T03:12:05Z", "incident": 16, "user": "ana", "text": "folded"},
        ]));
        let expected = "\
Mon 23 Nov 2026, Europe/Lisbon
03:12:04  #5   ana  paged
03:12:05  #16  ana  folded";
        assert_eq!(story(&entries_, &view()), expected);
    }

    #[test]
    fn events_that_paged_nobody_are_listed_with_their_reasons() {
        let answer = with(
            samples::receipt(),
            json!({"integration": "prometheus",
             "disposition": "recorded", "reason": "route_does_not_page", "summary": "Watchdog"}),
        );
        let expected = "\
AT     RECEIPT  INTEGRATION  EVENT     DISPOSITION  WHY
03:12  r12      prometheus   Watchdog  recorded     route_does_not_page";
        assert_eq!(quiet(&[sample(&answer)], &view()), expected);
        assert_eq!(quiet(&[], &view()), "");
    }

    #[test]
    fn a_receipt_says_why_nobody_was_paged() {
        let answer = json!({
            "integration": "prometheus", "disposition": "recorded", "incident": null,
            "incidents": [], "reason": "route_does_not_page",
            "text": "the route says page: false", "routes": ["watchdog"],
            "summary": "Watchdog", "severity": "none",
        });
        let answer = with(samples::receipt(), answer);
        let expected = "\
receipt r12
received      03:12 (7m ago)
event         trigger  none  Watchdog
integration   prometheus
dedup key     abc
disposition   recorded
because       the route says page: false (route_does_not_page)
routes        watchdog
fault         $.labels.x: cut to 4096 bytes";
        assert_eq!(receipt(&sample(&answer), &view()), expected);
    }
}
