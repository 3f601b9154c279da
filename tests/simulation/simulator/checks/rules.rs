//! C: rules change as a whole, and nothing open is orphaned by it.

use reveille::engine::ids::Revision;

use super::super::history::Seen;
use super::Finding;

/// C1, C3.
#[derive(Default)]
pub struct Rules {
    revision: Revision,
}

impl Rules {
    pub fn see(&mut self, seen: &Seen<'_>) -> Finding {
        match seen {
            Seen::Turned { state, rules, .. } => {
                if rules.revision < self.revision {
                    let (now, before) = (rules.revision, self.revision);
                    return Some(("C1", format!("revision {now} is in force after {before}")));
                }
                self.revision = rules.revision;
                let mut pinned = state
                    .incidents()
                    .filter(|incident| incident.is_open())
                    .filter_map(|incident| Some((incident.number, incident.policy.as_ref()?)));
                let (number, policy) = pinned.find(|(_, policy)| state.pinned(policy).is_none())?;
                Some((
                    "C3",
                    format!("#{number} names {policy:?}, which is not kept"),
                ))
            }
            Seen::Started { .. } => {
                // A revision that died undurable never was.
                self.revision = Revision::default();
                None
            }
            Seen::Durable { .. }
            | Seen::Accepted { .. }
            | Seen::Acted { .. }
            | Seen::Opened { .. }
            | Seen::Answered { .. }
            | Seen::Died
            | Seen::Mood { .. }
            | Seen::Minute { .. }
            | Seen::ClockJumped => None,
        }
    }
}
