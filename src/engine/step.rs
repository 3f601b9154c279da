//! One step: an input becomes a decision.

use super::State;
use super::decision::{Answer, Decision};
use super::draft::Draft;
use super::input::{Input, TimerKey};
use super::ruleset::RuleSet;
use super::time::Now;
use super::{
    answer, bundle, check, closing, contact_test, delivery_report, escalation, ingest, jump, lane,
    overrides, pending, people, places, recovery, replied, reply, silence, task, trouble_desk,
    unreported,
};

/// Decides on one input. Mutates nothing; the caller applies the changes to the state, makes them
/// durable, and only then releases the effects and the answer.
pub fn step(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
    let mut draft = Draft::new(state, rules, now);
    decide(&mut draft, input);
    closing::forget_surplus_groups(&mut draft);
    draft.finish()
}

/// Writes into the draft what an input leads to.
pub(super) fn decide(draft: &mut Draft<'_>, input: Input) {
    match input {
        Input::Start => recovery::start(draft),
        Input::Stop => recovery::stop(draft),
        Input::Suspended { lost } => recovery::suspended(draft, lost),
        Input::ClockAhead { by } => jump::ahead(draft, by),
        Input::ClockBack { by } => jump::back(draft, by),
        Input::ConfirmClock => jump::confirm(draft),
        Input::Events {
            integration,
            events,
        } => pending::take_in(draft, &integration, events),
        Input::Keep {
            integration,
            events,
            request,
            is_whole,
        } => {
            let request = pending::keep(draft, &integration, events, request, is_whole);
            draft.later = Some(request);
        }
        Input::GoOn { task, stride } => task::go_on(draft, task, stride),
        Input::Due(key) => due(draft, &key),
        Input::Outcome(report) => answer::outcome(draft, &report),
        Input::DeliveryReport {
            channel,
            attempt,
            outcome,
            provider_message,
        } => {
            let report = (outcome, provider_message);
            draft.answer = delivery_report::take(draft, &channel, attempt, report);
        }
        Input::Probed(probed) => check::probed(draft, &probed),
        Input::Place(pick) => places::give(draft, &pick),
        Input::Act(act) => people::act(draft, &act),
        Input::Press(press) => replied::press(draft, &press),
        Input::Sms(sms) => reply::sms(draft, &sms),
        Input::PageByHand(request) => people::page_by_hand(draft, &request),
        Input::Silence(request) => silence::set(draft, request),
        Input::ExpireSilence { silence, .. } => silence::expire(draft, silence),
        Input::Override(request) => overrides::set(draft, request),
        Input::RemoveOverride { override_, .. } => {
            overrides::remove(draft, override_);
        }
        Input::RulesChanged => rules_changed(draft),
        Input::Raise { trouble, text } => {
            draft.answer = Answer::Done;
            trouble_desk::raise(draft, trouble, &text);
        }
        Input::Clear { trouble } => {
            draft.answer = Answer::Done;
            trouble_desk::clear(draft, &trouble);
        }
        Input::Minute => {
            trouble_desk::look_for_gaps(draft);
            lane::look_for_silent(draft);
            contact_test::look(draft);
        }
    }
}

fn rules_changed(draft: &mut Draft<'_>) {
    trouble_desk::look_for_gone(draft);
    trouble_desk::look_for_unusable_targets(draft);
    unreported::rules_changed(draft);
    check::plan(draft);
}

fn due(draft: &mut Draft<'_>, key: &TimerKey) {
    match key {
        TimerKey::Incident(number) => escalation::due(draft, *number),
        TimerKey::Page(page) => answer::due(draft, *page),
        TimerKey::Alert(alert) => ingest::due(draft, *alert),
        TimerKey::Person(user) => bundle::due(draft, user),
        TimerKey::Channel(channel) => lane::probe_due(draft, channel),
        TimerKey::Group(key) => draft.drop_group(key),
        TimerKey::Silence(id) => silence::due(draft, *id),
        TimerKey::Override(id) => overrides::due(draft, *id),
        TimerKey::Jump => jump::due(draft),
    }
}
