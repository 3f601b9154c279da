//! A person's notify steps: which contacts are paged when, the page limit, and moving on at once
//! when they fail.

use crate::engine::entry_body::PageEntry;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{ContactName, IncidentNumber, UserName};
use crate::engine::incident::{Incident, NotificationRun, PageCause};
use crate::engine::page::{Page, PageKind, PageState};
use crate::engine::page_plan::Planned;
use crate::engine::reason::Reason;
use crate::engine::ruleset::NotifyStep;
use crate::engine::transaction::StepTransaction;
use crate::engine::{notes, page_plan, rate_limit, reached};

/// Begins a person's notify steps, unless those of an earlier step still run.
pub fn start_run(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    why: PageCause,
) {
    let incident = tx.known_incident(number);
    let going = incident.runs.iter().find(|run| run.user == *user);
    if going.is_some_and(|run| run.due.is_some() || !run.held.is_empty()) {
        let body = PageEntry::AlreadyPaging(user.clone());
        notes::note_person(tx, number, user, Reason::AlreadyPaging, body);
        // The run counts for this step too, so that its failure is seen here.
        tx.edit_incident(&number, |incident| {
            for run in incident.runs.iter_mut().filter(|run| run.user == *user) {
                run.why = why.clone();
            }
        });
        return;
    }
    let started = tx.now.steady;
    let after = steps(tx, user, &incident).first().map(|step| step.after);
    tx.edit_incident(&number, |incident| {
        incident.runs.retain(|run| run.user != *user);
        let due = after.map(|after| started + after);
        incident.runs.push(NotificationRun {
            user: user.clone(),
            why,
            started,
            next: 0,
            due,
            held: Vec::new(),
            is_counted: false,
        });
    });
    if after.is_none() {
        let body = PageEntry::NoContact(user.clone());
        notes::note_person(tx, number, user, Reason::NoContact, body);
    }
    run_due(tx, number, user, Reason::PagePlanned);
}

/// A person's notify steps for the incident's urgency.
fn steps(tx: &StepTransaction<'_>, user: &UserName, incident: &Incident) -> Vec<NotifyStep> {
    let user = tx.rules.users.get(user);
    user.map(|user| user.notify.steps(incident.urgency).to_vec())
        .unwrap_or_default()
}

/// Pages the notify steps of all persons that are due.
pub fn runs_due(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let incident = tx.known_incident(number);
    let users: Vec<UserName> = incident.runs.iter().map(|run| run.user.clone()).collect();
    for user in users {
        run_due(tx, number, &user, Reason::PagePlanned);
        end_lost_run(tx, number, &user);
    }
}

/// A run whose user or notify step is no longer in the rules is over, or its timer would be due for
/// ever.
fn end_lost_run(tx: &mut StepTransaction<'_>, number: IncidentNumber, user: &UserName) {
    let now = tx.now.steady;
    let incident = tx.known_incident(number);
    let mut runs = incident.runs.iter().filter(|run| run.user == *user);
    if !runs.any(|run| run.due.is_some_and(|due| due <= now)) {
        return;
    }
    edit_run(tx, number, user, |run| run.due = None);
    let body = PageEntry::PersonUnusable(user.clone());
    notes::note_person(tx, number, user, Reason::TargetGone, body);
    tx.follow_up(FollowUp::CheckReached(number));
}

/// Pages a person's notify steps that are due; where one cannot be used the next is, at once.
fn run_due(tx: &mut StepTransaction<'_>, number: IncidentNumber, user: &UserName, reason: Reason) {
    let mut reason = reason;
    while let Some((index, step)) = next_step(tx, number, user) {
        schedule_next(tx, number, user, index);
        if page_step(tx, number, user, (index, &step), reason) {
            reason = Reason::PagePlanned;
        } else {
            reason = Reason::FailoverContact;
            hurry_run(tx, number, user);
        }
    }
}

/// The person's next notify step, if its time has come.
fn next_step(
    tx: &StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
) -> Option<(usize, NotifyStep)> {
    let incident = tx.incident(&number)?;
    if !incident.asks() {
        return None;
    }
    let run = incident.runs.iter().find(|run| run.user == *user)?;
    run.due.filter(|due| *due <= tx.now.steady)?;
    let steps = steps(tx, user, &incident);
    let step = steps.get(run.next)?;
    Some((run.next, step.clone()))
}

/// Sets the run to the step after `index`; without one the run is over.
fn schedule_next(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    index: usize,
) {
    let incident = tx.known_incident(number);
    let after = steps(tx, user, &incident)
        .get(index + 1)
        .map(|step| step.after);
    edit_run(tx, number, user, |run| {
        run.next = index + 1;
        run.due = after.map(|after| run.started + after);
    });
}

fn hurry_run(tx: &mut StepTransaction<'_>, number: IncidentNumber, user: &UserName) {
    let now = tx.now.steady;
    edit_run(tx, number, user, |run| {
        run.due = run.due.map(|due| due.min(now));
    });
}

fn edit_run(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    edit: impl FnOnce(&mut NotificationRun),
) {
    tx.edit_incident(&number, |incident| {
        if let Some(run) = incident.runs.iter_mut().find(|run| run.user == *user) {
            edit(run);
        }
    });
}

/// Pages the contacts of one notify step, or holds them for the next bundled page. Whether anything
/// is under way for the person now.
fn page_step(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    (index, step): (usize, &NotifyStep),
    reason: Reason,
) -> bool {
    let incident = tx.known_incident(number);
    let Some(run) = incident.runs.iter().find(|run| run.user == *user).cloned() else {
        return false;
    };
    let is_interruption = rate_limit::is_limited(&incident) && !run.is_counted;
    if is_interruption && rate_limit::is_over_limit(tx, user, incident.urgency) {
        edit_run(tx, number, user, |run| run.held.push(index));
        rate_limit::hold(tx, &incident, user);
        return true;
    }
    let (mut is_under_way, mut may_reach) = (false, false);
    let instead = contacts_instead(tx, &incident, user, &step.via);
    for contact in step.via.iter().chain(&instead) {
        let plan = page_plan::Plan {
            kind: PageKind::Page,
            incidents: vec![(page_plan::reference(&incident), run.why.clone())],
            user,
            contact,
            notify_step: index,
        };
        match page_plan::page_contact(tx, &incident, &plan, reason) {
            Planned::Started(_) => (is_under_way, may_reach) = (true, true),
            Planned::Later => may_reach = true,
            Planned::Unusable => {}
        }
    }
    if is_interruption && may_reach {
        edit_run(tx, number, user, |run| run.is_counted = true);
        rate_limit::count(tx, user, &incident);
    }
    is_under_way
}

/// All channels of a contact failed: the person's next notify step is used at once, unless another
/// page of this one is on its way; after the last one the next policy step may begin.
pub fn contact_failed(tx: &mut StepTransaction<'_>, page: &Page) {
    let Some(user) = page.recipient.user() else {
        for incident in &page.incidents {
            tx.follow_up(FollowUp::CheckReached(incident.number));
        }
        return;
    };
    let Some(number) = page.incidents.first().map(|incident| incident.number) else {
        return;
    };
    if has_sibling_under_way(tx, page, number) {
        return;
    }
    if is_of_present_run(tx, page, number) {
        hurry_run(tx, number, user);
        run_due(tx, number, user, Reason::FailoverContact);
    }
    tx.follow_up(FollowUp::CheckReached(number));
}

/// Whether the person's run for the incident is still the one that planned the page. What became of
/// an earlier round's page is no matter of the present one.
pub fn is_of_present_run(tx: &StepTransaction<'_>, page: &Page, number: IncidentNumber) -> bool {
    let incident = tx.incident(&number);
    incident.is_some_and(|incident| {
        incident
            .runs
            .iter()
            .any(|run| reached::is_of_run(page, run))
    })
}

/// Whether another page of the same notify step was sent or is within its time. The pages of one
/// step leave at one moment.
pub fn has_sibling_under_way(
    tx: &StepTransaction<'_>,
    page: &Page,
    number: IncidentNumber,
) -> bool {
    let siblings = tx.pages_of(number);
    siblings.iter().any(|other| {
        other.id != page.id
            && other.asks()
            && other.recipient.user() == page.recipient.user()
            && other.notify_step == page.notify_step
            && other.created == page.created
            && is_on_its_way(other)
    })
}

/// Takes the person's next notify step of an incident before its time; its contacts, or none when
/// the run is over.
pub fn take_next_step(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
) -> Vec<ContactName> {
    hurry_run(tx, number, user);
    let Some((index, step)) = next_step(tx, number, user) else {
        return Vec::new();
    };
    schedule_next(tx, number, user, index);
    step.via
}

fn is_on_its_way(page: &Page) -> bool {
    match page.state {
        PageState::Sent | PageState::Delivered => true,
        PageState::Sending => !page.failed_over,
        PageState::Failed | PageState::Cancelled => false,
    }
}

/// The person's other contacts, if the incident says that one of these cannot be reached.
fn contacts_instead(
    tx: &StepTransaction<'_>,
    incident: &Incident,
    user: &UserName,
    via: &[ContactName],
) -> Vec<ContactName> {
    let mut named = via.iter();
    if !named.any(|contact| incident.is_about_contact(user, contact)) {
        return Vec::new();
    }
    let known = tx.rules.users.get(user);
    let contacts = known.iter().flat_map(|user| &user.contacts);
    let names = contacts.map(|contact| contact.name.clone());
    names.filter(|name| !via.contains(name)).collect()
}
