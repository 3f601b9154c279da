//! Inputs in words, for log lines: what they are and not what they hold.

use crate::engine::event::Event;
use crate::engine::input::Input;
use crate::engine::task::{Task, TaskKind};

fn describe_event(event: &Event) -> String {
    format!("{} with dedup key {:?}", event.action, event.dedup_key)
}

/// What a task does, and of events the first.
pub(super) fn describe_task(task: &Task) -> String {
    let id = task.id;
    match &task.kind {
        TaskKind::Events(part) => {
            let integration = &part.integration;
            let first = part.events.first().map(describe_event).unwrap_or_default();
            format!("{first} of {integration}")
        }
        TaskKind::BeginSilence(pass) => format!("task {id}: begin of silence {}", pass.silence),
        TaskKind::EndSilence(pass) => format!("task {id}: end of silence {}", pass.silence),
        TaskKind::ReleaseAlerts { incident } => format!("task {id}: alerts of #{incident}"),
        TaskKind::Recover(_) => format!("task {id}: recovery"),
        TaskKind::KeepMemory { by, .. } => format!("task {id}: clock ahead by {by}"),
        TaskKind::FollowRules { .. } => format!("task {id}: alerts under other rules"),
        TaskKind::ReviewDependents { provider, .. } => {
            format!("task {id}: what depends on provider {provider}")
        }
        TaskKind::ReviewServices { .. } => format!("task {id}: services of status pages"),
    }
}

/// The input without its contents, for a log line.
pub(super) fn describe(input: &Input) -> String {
    match input {
        Input::Start => "start".to_owned(),
        Input::Stop => "stop".to_owned(),
        Input::Suspended { lost } => format!("suspended for {lost}"),
        Input::ClockAhead { by } => format!("clock ahead by {by}"),
        Input::ClockBack { by } => format!("clock back by {by}"),
        Input::ConfirmClock => "confirmation of the clock".to_owned(),
        Input::Events {
            integration,
            events,
        } => match events.as_slice() {
            [event] => format!("{} of {integration}", describe_event(event)),
            events => format!("{} events of {integration} in one request", events.len()),
        },
        Input::Keep { integration, .. } => format!("events of {integration} to be kept"),
        Input::GoOn { task, .. } => format!("task {task}"),
        Input::Due(key) => format!("timer of {key:?}"),
        Input::SlotFree(pick) => format!("slot of page {} on {}", pick.page, pick.channel),
        Input::Outcome(report) => format!("outcome of attempt {}", report.attempt),
        Input::DeliveryReport(report) => format!("delivery report on attempt {}", report.attempt),
        Input::Probed(probed) => format!("probe of channel {}", probed.channel),
        Input::Act(act) => format!("action of {}", act.actor.name),
        Input::Press(press) => format!("button pressed on channel {}", press.channel),
        Input::Sms(sms) => format!("text message on channel {}", sms.channel),
        Input::PageByHand(_) => "page by hand".to_owned(),
        Input::Silence(_) | Input::ExpireSilence(_) => "silence".to_owned(),
        Input::Override(_) | Input::RemoveOverride(_) => "override".to_owned(),
        Input::RulesChanged => "change of rules".to_owned(),
        Input::Raise { trouble, .. } => format!("self-incident {}", trouble.cause),
        Input::Clear { trouble } => format!("end of self-incident {}", trouble.cause),
        Input::Minute => "minute".to_owned(),
        Input::LookedAt { provider, .. } => format!("look at the page of provider {provider}"),
        Input::Status(act) => format!("act on status page {}", act.page),
        Input::OwnChecked(it) => format!("check {}", it.check),
        Input::AcceptPage(provider) => format!("acceptance of the page of provider {provider}"),
    }
}
