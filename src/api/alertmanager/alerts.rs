//! Firing alerts, one by one and as the incidents group them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;

use crate::api::extract::Json;
use crate::api::ports::AppState;
use crate::api::problem::Problem;
use crate::api::wire::alertmanager::{
    AlertGroup, AlertStatus, GettableAlert, Receiver, annotations, fingerprint, labels,
};
use crate::api::wire::silence::{alertmanager_time, uuid};
use crate::engine::alert::{Alert, Matchable};
use crate::engine::ids::SilenceId;
use crate::engine::incident::Incident;
use crate::engine::matcher::Matcher;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Now, Timestamp};
use crate::runtime::handle::View;

use super::query::{AlertsParameters, Parameters, takes_text};
use super::{NOBODY, receiver};

/// When an alert ends that asserts no end, as in the original.
const RESOLVE_TIMEOUT: Duration = Duration::minutes(5);

/// Which alerts are asked for.
struct Wanted {
    matchers: Vec<Matcher>,
    receiver: Option<Matcher>,
    active: bool,
    silenced: bool,
}

impl Wanted {
    /// Nothing is ever inhibited or unprocessed here, so these switches take nothing away.
    fn read(query: &Parameters) -> Result<Self, Problem> {
        Ok(Self {
            matchers: query.matchers()?,
            receiver: query.receiver()?,
            active: query.switch("active"),
            silenced: query.switch("silenced"),
        })
    }

    fn takes(&self, alert: &Alert) -> bool {
        let fields = Matchable {
            integration: &alert.integration,
            content: &alert.content,
        };
        let is_silenced = alert.is_silenced();
        alert.firing
            && (self.silenced || !is_silenced)
            && (self.active || is_silenced)
            && self.matchers.iter().all(|known| known.matches(&fields))
    }

    fn takes_receiver(&self, name: &str) -> bool {
        let pattern = self.receiver.as_ref();
        pattern.is_none_or(|pattern| takes_text(pattern, name))
    }
}

/// What is needed to show alerts.
struct Around {
    rules: Arc<RuleSet>,
    silences: BTreeMap<SilenceId, String>,
    now: Now,
}

impl Around {
    fn new(rules: Arc<RuleSet>, view: View<'_>) -> Self {
        let silences = view.state.silences();
        Self {
            rules,
            silences: silences.map(|known| (known.id, uuid(known))).collect(),
            now: view.now,
        }
    }

    fn receivers(&self, alert: &Alert) -> Vec<Receiver> {
        let fields = Matchable {
            integration: &alert.integration,
            content: &alert.content,
        };
        let routes = self.rules.tree.routes(&fields);
        let mut names: Vec<String> = Vec::new();
        for name in routes.iter().map(|route| receiver(route)) {
            if names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
        names.into_iter().map(|name| Receiver { name }).collect()
    }

    fn show(&self, alert: &Alert) -> GettableAlert {
        let silenced_by = alert.silenced_by.iter();
        let state = if alert.is_silenced() {
            "suppressed"
        } else {
            "active"
        };
        let links = &alert.content.links;
        let source = links
            .iter()
            .find(|link| link.text.as_deref() == Some("Source"));
        let labels = labels(&alert.integration, &alert.content);
        GettableAlert {
            annotations: annotations(&alert.content),
            ends_at: alertmanager_time(self.end(alert)),
            fingerprint: fingerprint(&labels),
            receivers: self.receivers(alert),
            starts_at: alertmanager_time(alert.starts_at.unwrap_or(alert.first_seen)),
            status: AlertStatus {
                inhibited_by: Vec::new(),
                silenced_by: silenced_by
                    .filter_map(|id| self.silences.get(id).cloned())
                    .collect(),
                state: state.to_owned(),
            },
            updated_at: alertmanager_time(alert.last_seen),
            generator_url: source.map(|link| link.href.to_string()),
            labels,
        }
    }

    /// Clients expect an end in the future of whatever fires.
    fn end(&self, alert: &Alert) -> Timestamp {
        let left = alert.expires.map(|at| at.since(self.now.steady));
        self.now.wall + left.unwrap_or(RESOLVE_TIMEOUT)
    }
}

/// As Alertmanager's API v2
#[utoipa::path(
    get, path = "/api/v2/alerts", security(("token" = ["viewer"])), params(AlertsParameters),
    responses((status = 200, body = Vec<GettableAlert>))
)]
pub async fn list(
    State(state): State<AppState>,
    parameters: Parameters,
) -> Result<Json<Vec<GettableAlert>>, Problem> {
    let wanted = Wanted::read(&parameters)?;
    let rules = state.handle.rules();
    let look = |view: View<'_>| {
        let alerts = view.state.alerts().cloned().collect::<Vec<_>>();
        (alerts, Around::new(rules, view))
    };
    let (alerts, around) = state.handle.read(look).await?;
    let alerts = alerts.iter().filter(|alert| wanted.takes(alert));
    let mut shown: Vec<_> = alerts.map(|alert| around.show(alert)).collect();
    shown.retain(|alert| {
        let mut receivers = alert.receivers.iter();
        wanted.receiver.is_none() || receivers.any(|known| wanted.takes_receiver(&known.name))
    });
    shown.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
    Ok(Json(shown))
}

/// As Alertmanager's API v2
///
/// Open incidents with their firing alerts.
#[utoipa::path(
    get, path = "/api/v2/alerts/groups", security(("token" = ["viewer"])), params(AlertsParameters),
    responses((status = 200, body = Vec<AlertGroup>))
)]
pub async fn groups(
    State(state): State<AppState>,
    parameters: Parameters,
) -> Result<Json<Vec<AlertGroup>>, Problem> {
    let wanted = Wanted::read(&parameters)?;
    let rules = state.handle.rules();
    let look = |view: View<'_>| {
        let open = view.state.incidents().filter(|known| known.is_open());
        let with_alerts = open.map(|incident| {
            let alerts = view.state.alerts_of(incident.number).cloned();
            (incident.clone(), alerts.collect::<Vec<_>>())
        });
        (with_alerts.collect::<Vec<_>>(), Around::new(rules, view))
    };
    let (incidents, around) = state.handle.read(look).await?;
    let incidents = incidents.iter();
    let groups = incidents.filter_map(|(incident, alerts)| {
        let alerts = alerts.iter().filter(|alert| wanted.takes(alert));
        let alerts: Vec<_> = alerts.map(|alert| around.show(alert)).collect();
        group(incident, alerts).filter(|group| wanted.takes_receiver(&group.receiver.name))
    });
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by(|one, other| {
        (&one.labels, &one.receiver.name).cmp(&(&other.labels, &other.receiver.name))
    });
    Ok(Json(groups))
}

fn group(incident: &Incident, alerts: Vec<GettableAlert>) -> Option<AlertGroup> {
    let first = alerts.first()?;
    // With `group_by: ["..."]` all labels are those of the group.
    let is_each_alert = incident.group_key.ends_with(']');
    let labels = if is_each_alert {
        first.labels.clone()
    } else {
        let labels = incident.group_labels.iter();
        labels
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    };
    let policy = incident.policy.as_ref();
    let name = policy
        .map_or(NOBODY, |policy| policy.name.as_str())
        .to_owned();
    Some(AlertGroup {
        alerts,
        labels,
        receiver: Receiver { name },
    })
}
