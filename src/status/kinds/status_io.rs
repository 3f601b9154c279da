//! status.io: components and their regions, and two tables of codes that share their numbers.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::draft::{self, ReportDraft, derived_impact, worse};
use crate::status::fields::{
    first_text, list, listed, listed_if_any, newest, prose, required, root, shape, text, texts,
    time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "status_io";

/// The kind as it stands in the table.
pub static STATUS_IO: StatusKind = StatusKind {
    word: WORD,
    name: "status.io",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// How bad it is. The owner may rename the texts beside the codes.
const STATES: &[(&str, ComponentState)] = &[
    ("100", ComponentState::Operational),
    ("200", ComponentState::Maintenance),
    ("300", ComponentState::Degraded),
    ("400", ComponentState::PartialOutage),
    ("500", ComponentState::MajorOutage),
    ("600", ComponentState::MajorOutage),
];

/// Where it is in its life.
const PHASES: &[(&str, ReportPhase)] = &[
    ("100", ReportPhase::Open),
    ("200", ReportPhase::Open),
    ("300", ReportPhase::Open),
    ("400", ReportPhase::Closed),
];

const API: &str = "https://status-api.hostedstatus.com/1.0/status/";

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let is_id = |part: &&str| part.len() == 24 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let id = address.path.split('/').find(is_id);
    let url = match id.filter(|_| !address.path.starts_with("/1.0/")) {
        Some(id) => format!("{API}{id}"),
        None => address.whole(),
    };
    vec![StatusDocument::required(url)]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    root(answer).is_some_and(|root| has_anchors(&root))
}

fn has_anchors(root: &Value) -> bool {
    text(root, "/result/status_overall/status_code").is_some()
        && root.pointer("/result/status").is_some_and(Value::is_array)
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    if !has_anchors(&root) {
        let problem = "`result.status_overall.status_code` or `result.status` is missing; give an \
            address that contains the id of the page, such as the one of its history";
        return Err(shape(WORD, problem));
    }
    let incidents = listed(&root, "/result/incidents", WORD)?;
    let under_way = listed_if_any(&root, "/result/maintenance/active", WORD)?;
    let announced = listed_if_any(&root, "/result/maintenance/upcoming", WORD)?;
    let mut draft = ReportDraft::default();
    for row in list(&root, "/result/status") {
        let component = component(&mut draft, row);
        draft.component(component);
    }
    for row in incidents {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    let under_way = under_way.iter().map(|row| (row, ReportPhase::Open));
    let announced = announced.iter().map(|row| (row, ReportPhase::Scheduled));
    for (row, phase) in under_way.chain(announced) {
        draft.incident(maintenance(row, phase));
    }
    // The answer names neither the page nor its owner.
    let path = look.address.path.rsplit('/').find(|part| part.len() == 24);
    let name = look.host();
    draft.finish(
        path.map_or(name.clone(), Text::from),
        name,
        Listing::OpenOnly,
    )
}

/// Its containers, which are regions, are no components of their own: incidents name both apart.
fn component(draft: &mut ReportDraft, row: &Value) -> Option<ReportedComponent> {
    Some(ReportedComponent {
        id: text(row, "/id")?,
        name: text(row, "/name")?,
        group: None,
        state: draft.state_in(STATES, row.pointer("/status_code"))?,
    })
}

/// The ids of components, and the regions by name.
fn scopes(row: &Value) -> Vec<Text> {
    let components = texts(row, "/components_affected", "/_id");
    let regions = texts(row, "/containers_affected", "/name");
    [components, regions].concat()
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let id = first_text(row, &["/_id", "/id"])?;
    let messages = list(row, "/messages");
    let message = newest(messages, &["/datetime"]);
    let code = |name: &str| message.and_then(|message| message.pointer(name));
    let told = draft.state_in(STATES, code("/status"));
    let components = scopes(row);
    let worst = worse(
        told.unwrap_or(ComponentState::Degraded),
        draft.worst(&components),
    );
    Some(ReportedIncident {
        text: prose(message, "/details"),
        impact: derived_impact(worst),
        phase: draft.phase_in(PHASES, code("/state")),
        state_word: state_word(code("/state")),
        components,
        started_at: time(row, &["/datetime_open"]),
        updated_at: message.and_then(|message| time(message, &["/datetime"])),
        ..draft::incident(id, title(row, "/name"))
    })
}

fn state_word(code: Option<&Value>) -> Text {
    let code = code.and_then(|code| text(code, ""));
    let word = match code.as_deref() {
        Some("100") => "investigating",
        Some("200") => "identified",
        Some("300") => "monitoring",
        Some("400") => "resolved",
        Some(_) | None => return code.unwrap_or_default(),
    };
    word.into()
}

fn maintenance(row: &Value, phase: ReportPhase) -> Option<ReportedIncident> {
    let message = newest(list(row, "/messages"), &["/datetime"]);
    let planned: Option<Timestamp> = time(row, &["/datetime_planned_start"]);
    Some(ReportedIncident {
        text: prose(message, "/details"),
        impact: Impact::Maintenance,
        phase,
        state_word: phase.as_str().into(),
        is_maintenance: true,
        components: scopes(row),
        started_at: planned,
        updated_at: message.and_then(|message| time(message, &["/datetime"])),
        window: planned.map(|from| (from, time(row, &["/datetime_planned_end"]))),
        ..draft::incident(first_text(row, &["/_id", "/id"])?, title(row, "/name"))
    })
}
