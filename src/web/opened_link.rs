//! What a link opened: one page, with its incidents at the generation that was shown, and what can
//! still be done with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::headline;
use crate::engine::ids::{IncidentNumber, UserName};
use crate::engine::incident::{Incident, Status};
use crate::engine::page::{IncidentRef, Page};

/// A page that a token opened, as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedLink {
    pub page: Arc<Page>,
    /// In the order of the page; those of which nothing is kept any more are left out.
    pub incidents: Vec<Arc<Incident>>,
    /// Other open incidents with one of their alerts.
    pub linked: Vec<Arc<Incident>>,
    /// What fires in each of all these now.
    pub headlines: BTreeMap<IncidentNumber, String>,
    /// Too old to act; it still shows.
    pub is_expired: bool,
}

impl OpenedLink {
    /// The person to whom the page went.
    pub fn user(&self) -> Option<&UserName> {
        self.page.recipient.user()
    }

    /// What an incident is called now, on one line.
    pub fn headline(&self, incident: &Incident) -> String {
        let known = self.headlines.get(&incident.number).cloned();
        known.unwrap_or_else(|| headline::of_closed(incident))
    }

    /// How many incidents of the page have this status, at the generation that it showed.
    pub fn count(&self, status: Status) -> usize {
        let known = self.incidents.iter();
        known
            .filter(|one| one.status == status && self.is_shown(one))
            .count()
    }

    /// Whether the page showed this incident, at this generation.
    pub fn is_shown(&self, incident: &Incident) -> bool {
        self.page.incidents.contains(&IncidentRef {
            number: incident.number,
            generation: incident.generation,
        })
    }

    /// Whether anything can still be done with the token.
    pub fn can_act(&self) -> bool {
        let open = self.count(Status::Triggered) + self.count(Status::Acknowledged);
        !self.is_expired && open > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    fn opened() -> OpenedLink {
        OpenedLink {
            page: Arc::new(samples::sent_page()),
            incidents: vec![Arc::new(samples::triggered_incident())],
            linked: Vec::new(),
            headlines: BTreeMap::new(),
            is_expired: false,
        }
    }

    #[test]
    fn a_token_acts_while_its_generation_is_open_and_young() {
        assert!(opened().can_act());
        let expired = OpenedLink {
            is_expired: true,
            ..opened()
        };
        assert!(!expired.can_act());
        let change = |change: fn(&mut Incident)| {
            let mut incident = samples::triggered_incident();
            change(&mut incident);
            OpenedLink {
                incidents: vec![Arc::new(incident)],
                ..opened()
            }
        };
        assert!(change(|one| one.status = Status::Acknowledged).can_act());
        assert!(!change(|one| one.status = Status::Resolved).can_act());
        assert!(
            !change(|one| one.generation = 2).can_act(),
            "another generation"
        );
    }
}
