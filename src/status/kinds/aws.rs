//! AWS: open events of all regions, by service and region; in UTF-16.

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Listing, ReportPhase, ReportedIncident, StatusReport,
};
use crate::engine::time::Duration;
use crate::status::draft::{self, ReportDraft, derived_impact, worse};
use crate::status::fields::{
    first_text, list, newest, prose, required, root, shape, text, time, title,
};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable,
};

const WORD: &str = "aws";

/// The kind as it stands in the table.
pub static AWS: StatusKind = StatusKind {
    word: WORD,
    name: "AWS",
    documents,
    recognises,
    read,
    every: Duration::minutes(1),
    flips: false,
};

/// How a service is; AWS does not say so anywhere, but its logs climb in this order.
const STATES: &[(&str, ComponentState)] = &[
    ("0", ComponentState::Operational),
    ("1", ComponentState::Degraded),
    ("2", ComponentState::PartialOutage),
    ("3", ComponentState::MajorOutage),
];

/// The host that has the document; the older one only leads people there.
const HOST: &str = "https://health.aws.amazon.com";
const PATH: &str = "/public/currentevents";

fn documents(address: &StatusAddress) -> Vec<StatusDocument> {
    let is_old = address.host == "status.aws.amazon.com";
    vec![StatusDocument::required(match is_old {
        true => format!("{HOST}{PATH}"),
        false => address.on_host(PATH),
    })]
}

fn recognises(answer: &StatusAnswer<'_>) -> bool {
    // An empty list is an answer of AWS, but anybody's.
    let root = root(answer);
    let events = root.as_ref().and_then(events);
    events.is_some_and(|events| events.iter().any(is_event))
}

/// Older answers have the list inside an object.
fn events(root: &Value) -> Option<&[Value]> {
    let list = root
        .as_array()
        .or_else(|| root.pointer("/current")?.as_array())?;
    (list.is_empty() || list.iter().any(is_event)).then_some(list)
}

fn is_event(row: &Value) -> bool {
    text(row, "/arn").is_some_and(|arn| arn.starts_with("arn:aws"))
}

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let root = required(look, 0, WORD)?;
    let Some(events) = events(&root) else {
        return Err(shape(WORD, "it is no list of events with an `arn`"));
    };
    let mut draft = ReportDraft::default();
    for row in events {
        let incident = incident(&mut draft, row);
        draft.incident(incident);
    }
    draft.finish(WORD.into(), AWS.name.into(), Listing::OpenOnly)
}

fn incident(draft: &mut ReportDraft, row: &Value) -> Option<ReportedIncident> {
    let arn = text(row, "/arn")?;
    let services = row.pointer("/impacted_services").and_then(Value::as_object);
    let current = services
        .into_iter()
        .flatten()
        .map(|(_, service)| service.pointer("/current"));
    let own = [row.pointer("/status")];
    let states = current
        .chain(own)
        .filter_map(|code| draft.state_in(STATES, code));
    let worst = states.fold(ComponentState::Operational, worse);
    let entry = newest(list(row, "/event_log"), &["/timestamp"]);
    let title = match text(row, "/summary") {
        Some(_) => title(row, "/summary"),
        None => title(row, "/service_name"),
    };
    Some(ReportedIncident {
        text: prose(entry, "/message"),
        impact: derived_impact(worst),
        // Only open ones are listed, and no member tells an end.
        phase: ReportPhase::Open,
        state_word: entry
            .and_then(|entry| text(entry, "/summary"))
            .unwrap_or_default(),
        components: scopes(row, &arn),
        started_at: time(row, &["/date"]),
        updated_at: entry.and_then(|entry| time(entry, &["/timestamp"])),
        ..draft::incident(arn, title)
    })
}

/// The region by its code and its name, and the services by key and by name.
fn scopes(row: &Value, arn: &str) -> Vec<Text> {
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    let mut scopes: Vec<Text> = region.map(Text::from).into_iter().collect();
    scopes.extend(
        ["/region_name", "/service"]
            .iter()
            .filter_map(|name| text(row, name)),
    );
    scopes.extend(first_text(row, &["/service_name"]));
    let services = row.pointer("/impacted_services").and_then(Value::as_object);
    for (key, service) in services.into_iter().flatten() {
        scopes.push(key.as_str().into());
        scopes.extend(text(service, "/service_name"));
    }
    let mut seen = std::collections::BTreeSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes
}
