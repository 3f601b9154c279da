//! What an event says beside its action: summary, severity, source, details and links.

use serde_json::Value;

use crate::engine::event::{Content, Link, Text};
use crate::engine::urgency::SeverityClass;
use crate::inbound::faults::{Faults, Place, quote};
use crate::inbound::fields::{self, Fields};
use crate::inbound::labels::Sent;
use crate::inbound::links::Links;
use crate::inbound::{Source, details, limits};

/// The content of an event; one that only acknowledges or resolves need have no payload.
pub fn content(
    source: Source<'_>,
    event: Fields<'_>,
    payload: Option<Fields<'_>>,
    faults: &mut Faults,
) -> Content {
    let labels = Sent::default().finish(source.integration, "$", faults);
    let links = links(event, faults);
    let Some(payload) = payload else {
        return Content {
            labels,
            links,
            ..Content::default()
        };
    };
    let summary = payload.text("summary", faults);
    let details = payload.get("custom_details");
    Content {
        summary: summary
            .map(|text| limits::summary(&text, payload.place("summary"), faults))
            .unwrap_or_default(),
        severity: severity(payload, faults),
        source: payload.line("source", faults),
        component: payload.line("component", faults),
        group: payload.line("group", faults),
        class: payload.line("class", faults),
        service: None,
        labels,
        details: details
            .and_then(|value| details::text(value, payload.place("custom_details"), faults)),
        links,
    }
}

/// One of the four words. Templates of senders put others here; those are mapped, because refusing
/// them would lose the page.
fn severity(payload: Fields<'_>, faults: &mut Faults) -> Text {
    let Some(sent) = payload.text("severity", faults) else {
        return Text::default();
    };
    let word = match SeverityClass::of(sent.trim()) {
        SeverityClass::Critical => "critical",
        SeverityClass::Error | SeverityClass::Unknown => "error",
        SeverityClass::Warning => "warning",
        SeverityClass::Info | SeverityClass::None => "info",
    };
    if sent != word {
        faults.add(
            payload.place("severity"),
            format_args!(
                "is {}, none of critical, error, warning and info; it counts as {word}",
                quote(&sent)
            ),
        );
    }
    word.into()
}

fn links(event: Fields<'_>, faults: &mut Faults) -> Vec<Link> {
    let mut links = Links::default();
    if let Some(href) = event.text("client_url", faults) {
        let client = event.text("client", faults);
        links.add(&href, client.as_deref(), event.place("client_url"), faults);
    }
    add_each(event, "links", ("href", "text"), &mut links, faults);
    add_each(event, "images", ("src", "alt"), &mut links, faults);
    links.finish(Place::At(event.path), faults)
}

/// Adds the links of an array; `names` are those of address and text.
fn add_each(
    event: Fields<'_>,
    array: &'static str,
    names: (&'static str, &'static str),
    links: &mut Links,
    faults: &mut Faults,
) {
    let path = event.place(array).to_string();
    for (index, value) in event.array(array, faults).iter().enumerate() {
        let path = Place::Index(&path, index).to_string();
        let Value::Object(_) = value else {
            let found = fields::kind(value);
            faults.add(&path, format_args!("is {found}; the link was omitted"));
            continue;
        };
        if let Some(link) = Fields::of(value, &path, faults) {
            let text = link.text(names.1, faults);
            let href = link.text(names.0, faults).unwrap_or_default();
            links.add(&href, text.as_deref(), link.place(names.0), faults);
        }
    }
}
