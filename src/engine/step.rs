//! One step: an input becomes a decision.

use super::State;
use super::decision::{Answer, Decision};
use super::draft::Draft;
use super::input::{Input, TimerKey};
use super::ruleset::RuleSet;
use super::time::Now;
use super::{
    answer, escalation, fold, ingest, lane, people, recovery, reply, silence, trouble_desk,
};

/// Decides on one input. Mutates nothing; the caller applies the changes to the state, makes them
/// durable, and only then releases the effects and the answer.
pub fn step(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
    let mut draft = Draft::new(state, rules, now);
    match input {
        Input::Start => recovery::start(&mut draft),
        Input::Suspended { .. } => recovery::suspended(&mut draft),
        Input::Event { integration, event } => ingest::event(&mut draft, &integration, event),
        Input::Due(key) => due(&mut draft, &key),
        Input::Outcome(report) => answer::outcome(&mut draft, &report),
        Input::DeliveryReport {
            channel,
            attempt,
            outcome,
            provider_message,
        } => {
            let report = (outcome, provider_message);
            draft.answer = answer::delivery_report(&mut draft, &channel, attempt, report);
        }
        Input::Probed {
            channel, outcome, ..
        } => lane::probed(&mut draft, &channel, outcome),
        Input::Act(act) => people::act(&mut draft, &act),
        Input::Sms(sms) => reply::sms(&mut draft, &sms),
        Input::PageByHand(request) => people::page_by_hand(&mut draft, &request),
        Input::Silence(request) => silence::set(&mut draft, request),
        Input::ExpireSilence { silence, .. } => silence::expire(&mut draft, silence),
        Input::Override(request) => silence::set_override(&mut draft, request),
        Input::RemoveOverride { override_, .. } => {
            silence::remove_override(&mut draft, override_);
        }
        Input::RulesChanged => {
            trouble_desk::look_for_gone(&mut draft);
            trouble_desk::look_for_unusable_targets(&mut draft);
        }
        Input::Raise { trouble, text } => {
            trouble_desk::raise(&mut draft, trouble, &text);
            draft.answer = Answer::Done;
        }
        Input::Clear { trouble } => {
            trouble_desk::clear(&mut draft, &trouble);
            draft.answer = Answer::Done;
        }
        Input::Minute => {
            trouble_desk::look_for_gaps(&mut draft);
            lane::look_for_silent(&mut draft);
        }
    }
    draft.finish()
}

fn due(draft: &mut Draft<'_>, key: &TimerKey) {
    match key {
        TimerKey::Incident(number) => escalation::due(draft, *number),
        TimerKey::Page(page) => answer::due(draft, *page),
        TimerKey::Alert(alert) => ingest::due(draft, *alert),
        TimerKey::Person(user) => fold::due(draft, user),
        TimerKey::Channel(channel) => lane::probe_due(draft, channel),
        TimerKey::Group(key) => draft.drop_group(key),
        TimerKey::Silence(id) => silence::due(draft, *id),
        TimerKey::Override(id) => silence::override_due(draft, *id),
    }
}
