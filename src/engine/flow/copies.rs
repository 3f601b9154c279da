//! Copies of an incident go to the targets of its route that only want to know.

use crate::engine::event::Text;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{PageCause, Position};
use crate::engine::page::{Page, PageKind, Recipient};
use crate::engine::reason::Reason;
use crate::engine::transaction::StepTransaction;
use crate::engine::{delivery, page_plan};

/// Posts one message for each `copy_to` that has none yet.
pub fn post_copies(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    let posted: Vec<(Recipient, Text)> = tx
        .pages_of(number)
        .iter()
        .filter(|page| page.kind == PageKind::Copy)
        .map(|page| (page.recipient.clone(), page.address.clone()))
        .collect();
    for target in &incident.copy_to {
        let recipient = Recipient::Channel {
            channel: target.channel.clone(),
        };
        if posted.contains(&(recipient.clone(), target.address.clone())) {
            continue;
        }
        let Some(medium) = page_plan::medium_of(tx, &target.channel) else {
            continue;
        };
        let why = PageCause {
            route: incident.route.clone(),
            policy: None,
            position: Position::Before,
            round: 0,
            schedule: None,
            revision: tx.rules.revision,
        };
        let incidents = vec![page_plan::reference(&incident)];
        let page = page_plan::new_page(tx, &incident, PageKind::Copy, incidents, &why);
        let id = page.id;
        let address = target.address.clone();
        tx.put_page(
            id,
            Page {
                recipient,
                medium,
                address,
                ..page
            },
        );
        if !delivery::start_on_next_channel(tx, id, Reason::CopyPosted) {
            delivery::fail_if_hopeless(tx, id);
        }
    }
}
