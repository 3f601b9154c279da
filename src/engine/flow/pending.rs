//! Events that were accepted and are not decided on yet.
//!
//! A request is accepted as a whole: what its first step does not decide is kept in the same
//! commit, in parts. A very large one is kept over several commits, and nothing of it is decided
//! before the last part is kept; a start drops what was kept of it until then. Events of an
//! integration are decided on in the order in which they were accepted.

use std::sync::Arc;

use crate::engine::decision::Answer;
use crate::engine::event::Event;
use crate::engine::ids::{IntegrationName, TaskId};
use crate::engine::ingest;
use crate::engine::records::Receipt;
use crate::engine::task::{Part, Stride, Task, TaskKind};
use crate::engine::transaction::StepTransaction;

/// Events that one record keeps.
const PART_MAX: usize = 32;

/// Takes in the events of one request, each of which sees what the earlier ones changed, and
/// answers with the receipts of those that this step decides on.
pub fn take_in(tx: &mut StepTransaction<'_>, integration: &IntegrationName, events: Vec<Event>) {
    let mut receipts = Vec::new();
    let mut events = events.into_iter();
    // Behind what waits already.
    if tx.state.tasks().events_of(integration) == 0 {
        for event in events.by_ref() {
            receipts.push(ingest::event(tx, integration, event));
            if tx.is_turn_spent() {
                break;
            }
        }
    }
    tx.answer = Answer::Receipts(receipts);
    let left: Vec<Event> = events.collect();
    if !left.is_empty() {
        tx.later = Some(keep(tx, integration, left, None, true));
    }
}

/// Keeps events of a request without a decision. The first part names the request.
pub fn keep(
    tx: &mut StepTransaction<'_>,
    integration: &IntegrationName,
    events: Vec<Event>,
    request: Option<TaskId>,
    is_whole: bool,
) -> TaskId {
    let mut request = request;
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        let id = tx.next_task();
        let some: Vec<Event> = events.by_ref().take(PART_MAX).collect();
        for event in &some {
            tx.effort.kept(event.bytes());
        }
        let part = Part {
            integration: integration.clone(),
            accepted: tx.now.wall,
            request: *request.get_or_insert(id),
            events: some,
            is_last: is_whole && events.peek().is_none(),
        };
        let kind = TaskKind::Events(part);
        tx.put_task(id, Task { id, kind });
    }
    request.expect("a request that is kept has events")
}

/// Decides on events that waited; the answer is what is left.
pub fn go_on(tx: &mut StepTransaction<'_>, part: Part, stride: Stride) -> Option<Part> {
    tx.accepted = Some(part.accepted);
    let mut receipts: Vec<Arc<Receipt>> = Vec::new();
    let integration = part.integration.clone();
    let mut events = part.events.iter().cloned();
    for event in events.by_ref() {
        receipts.push(match stride {
            Stride::Full | Stride::One => ingest::event(tx, &integration, event),
            Stride::SetAside => ingest::set_aside(tx, &integration, event),
        });
        if stride != Stride::Full || tx.is_spent() {
            break;
        }
    }
    let events: Vec<Event> = events.collect();
    tx.answer = Answer::Receipts(receipts);
    if !events.is_empty() {
        return Some(Part { events, ..part });
    }
    if part.is_last {
        keep_whole(tx, &part);
    }
    None
}

/// The last part of a request is decided on. Others are left only where nothing can be decided on
/// them by now: the request was accepted, and a start must not take it for one that was not.
fn keep_whole(tx: &mut StepTransaction<'_>, last: &Part) {
    let parts = tx.state.tasks().parts_of(&last.integration, last.request);
    let Some(task) = parts.rev().nth(1).and_then(|left| tx.task(&left)) else {
        return;
    };
    let mut task = (*task).clone();
    if let TaskKind::Events(part) = &mut task.kind {
        part.is_last = true;
    }
    tx.put_task(task.id, task);
}

/// A start: of requests that were not kept as a whole nobody was told that they were accepted.
pub fn drop_unfinished(tx: &mut StepTransaction<'_>) {
    for id in tx.state.tasks().not_whole() {
        tx.drop_task(&id);
    }
}
