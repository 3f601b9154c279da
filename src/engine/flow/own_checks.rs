//! Checks of our own: what came of one becomes an alert, and the end of it.

use std::sync::Arc;

use crate::engine::State;
use crate::engine::event::{Action, Content, Event, EventTime, Text, limit};
use crate::engine::ids::IntegrationName;
use crate::engine::ingest;
use crate::engine::input::{CheckFound, OwnChecked};
use crate::engine::own_check::OwnCheck;
use crate::engine::provider_alerts;
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;
use crate::text::{one_line, truncate};

/// A check has one alert.
pub const KEY: &str = "check";

/// What is added to the text of an alert whose provider says that all is well.
const NOT_YET_REPORTED: &str = "not yet reported by the provider";

/// Takes in what became of a check of this target.
pub fn checked(tx: &mut StepTransaction<'_>, checked: OwnChecked) {
    let check = tx.rules.checks.get(&checked.check);
    let Some(check) = check.filter(|check| check.target == checked.target) else {
        // The rules changed while it was tried.
        return;
    };
    let integration = check.integration();
    let known = tx.alert_by_key(&integration, KEY);
    let firing = known.filter(|alert| alert.firing);
    match (checked.found, firing) {
        (CheckFound::Failed(why), None) => {
            let event = event(Action::Trigger, content(tx.state, check, &why));
            ingest::event(tx, &integration, event);
        }
        (CheckFound::Failed(why), Some(alert)) => {
            let content = content(tx.state, check, &why);
            if content.summary != alert.content.summary {
                let said = (KEY.into(), content);
                provider_alerts::rewrite_of(tx, &integration, said, None);
            }
        }
        (CheckFound::Good, None) => {}
        (CheckFound::Good, Some(_)) => {
            let event = event(Action::Resolve, Content::default());
            ingest::event(tx, &integration, event);
        }
    }
}

/// Whether the page of its provider says that all is well, so that a check that fails knows more.
pub fn is_not_yet_reported(state: &State, check: &OwnCheck) -> bool {
    let provider = check.provider.as_ref();
    let known = provider.and_then(|provider| state.provider(provider));
    known.is_some_and(|known| known.says_operational())
}

fn content(state: &State, check: &OwnCheck, why: &str) -> Content {
    let silent = match is_not_yet_reported(state, check) {
        true => format!("; {NOT_YET_REPORTED}"),
        false => String::new(),
    };
    let room = limit::SUMMARY_CHARACTERS.saturating_sub(silent.chars().count());
    let said = truncate(&one_line(&format!("{}: {why}", check.name)), room);
    let provider = check
        .provider
        .iter()
        .map(|name| ("provider", name.as_str()));
    let labels = check.labels.iter().map(|(name, value)| (&**name, &**value));
    let own = labels
        .chain([("check", check.name.as_str())])
        .chain(provider);
    Content {
        summary: format!("{said}{silent}").into(),
        severity: severity(check.urgency).into(),
        source: Some(check.target.shown()),
        class: Some("check".into()),
        service: check.service.clone(),
        labels: own.collect(),
        ..Content::default()
    }
}

/// The severity that leads to this urgency.
fn severity(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "error",
        Urgency::Low => "warning",
    }
}

fn event(action: Action, content: Content) -> Event {
    Event {
        action,
        dedup_key: Text::from(KEY),
        id: None,
        // A check says how things are now.
        spoken: EventTime::StateAsserted {
            starts_at: None,
            ends_at: None,
        },
        asserted_by: None,
        content: Arc::new(content),
        faults: Vec::new(),
    }
}

/// Other rules are in force: alerts of checks that they do not have are over.
pub fn rules_changed(tx: &mut StepTransaction<'_>) {
    let is_gone = |integration: &&IntegrationName| {
        let name = integration.as_str().strip_prefix(IntegrationName::CHECK);
        let is_in_rules = name.is_some_and(|name| tx.rules.checks.contains_key(name));
        let alert = tx.state.alert_by_key(integration, KEY);
        !is_in_rules && alert.is_some_and(|alert| alert.firing)
    };
    let known = tx.state.integrations_beneath(IntegrationName::CHECK);
    let gone: Vec<IntegrationName> = known.filter(is_gone).cloned().collect();
    for integration in gone {
        provider_alerts::end_of(tx, &integration, &Text::from(KEY), Reason::CheckGone);
    }
}
