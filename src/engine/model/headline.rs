//! What an incident is called while it is open: what fires in it now, the most pressing alert
//! first, and how many fire beside it. Its title is what it was opened with.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use crate::text::one_line;

use crate::engine::alert::Alert;
use crate::engine::event::Text;
use crate::engine::ids::{AlertId, IncidentNumber};
use crate::engine::incident::Incident;
use crate::engine::urgency::SeverityClass;

/// Where an alert stands among those of its incident: what fires stands first, the most pressing
/// before the rest; what a silence covers comes after what it does not.
pub type AlertRank = (bool, bool, Reverse<u8>);

/// The rank of an alert; of several with one rank the oldest stands first.
pub fn rank(alert: &Alert) -> AlertRank {
    let class = SeverityClass::of(&alert.content.severity);
    let (is_silenced, is_over) = (alert.is_silenced(), !alert.firing);
    (is_over, is_silenced, Reverse(class.rank()))
}

/// All ranks in an incident.
pub fn ranks(number: IncidentNumber) -> RangeInclusive<(IncidentNumber, AlertRank, AlertId)> {
    let first = (false, false, Reverse(u8::MAX));
    let last = (true, true, Reverse(u8::MIN));
    (number, first, AlertId(0))..=(number, last, AlertId(u64::MAX))
}

/// What an incident is called, given the first of its alerts.
pub fn title(incident: &Incident, first: Option<&Alert>) -> Text {
    let firing = first.filter(|alert| alert.firing && incident.is_open());
    firing.map_or_else(|| incident.title.clone(), Alert::title)
}

/// `disk full on db1 +2 more`: a title, and how many alerts fire beside it.
pub fn counted(title: &str, alerts_firing: u32) -> String {
    match alerts_firing {
        0 | 1 => title.to_owned(),
        firing => format!("{title} +{} more", firing - 1),
    }
}

/// The headline of an incident of history, on one line.
pub fn of_closed(incident: &Incident) -> String {
    counted(&one_line(&incident.title), incident.alerts.firing)
}
