//! One step: an input becomes a decision.

use std::sync::Arc;

use super::State;
use super::decision::{Answer, Decision, Refusal};
use super::follow_up::FollowUp;
use super::input::{Input, TimerKey};
use super::page::{Page, PageKind, PageState};
use super::ruleset::RuleSet;
use super::time::Now;
use super::transaction::StepTransaction;
use super::{
    actions, archive, attempt_result, bundle, channel_trouble, check, conditions, contact_test,
    contact_test_result, delivery_report, escalation, incident_timers, ingest, jump, notification,
    overrides, own_alerts, own_checks, page_by_hand, page_timers, pending, probe, provider_reading,
    providers, rate_limit, recovery, replied, self_incidents, send_request, silence,
    silence_request, slot, sms_commands, status_alerts, status_components, status_requests,
    status_timers, tasks, unreported, updates,
};

/// Decides on one input. Mutates nothing; the caller applies the changes to the state, makes them
/// durable, and only then releases the effects and the answer.
pub fn step(state: &State, rules: &RuleSet, input: Input, now: Now) -> Decision {
    let mut tx = StepTransaction::new(state, rules, now);
    decide(&mut tx, input);
    status_components::review_changed(&mut tx);
    hand_on(&mut tx);
    archive::forget_surplus_groups(&mut tx);
    let requests = send_request::requests(&tx);
    tx.finish(requests)
}

/// No input leads to more follow-ups; beyond it they would go round in a circle.
const FOLLOW_UPS_MAX: usize = 100_000;

/// Writes into the transaction what an input leads to, and what follows from that.
pub(super) fn decide(tx: &mut StepTransaction<'_>, input: Input) {
    take(tx, input);
    hand_on(tx);
}

/// Hands on what is asked of higher floors until nothing is left.
fn hand_on(tx: &mut StepTransaction<'_>) {
    for _ in 0..FOLLOW_UPS_MAX {
        let Some(follow_up) = tx.follow_ups.pop_front() else {
            return;
        };
        follow(tx, follow_up);
    }
    panic!("an input led to more than {FOLLOW_UPS_MAX} follow-ups");
}

/// The order of effects of what lower floors ask of higher ones.
fn follow(tx: &mut StepTransaction<'_>, follow_up: FollowUp) {
    match follow_up {
        FollowUp::ContactFailed(page) if page.kind == PageKind::Bundle => {
            bundle::contact_failed(tx, &page);
        }
        FollowUp::ContactFailed(page) => notification::contact_failed(tx, &page),
        FollowUp::PageGivenUp(page) => given_up(tx, &page),
        FollowUp::PageEnded(page) => ended(tx, &page),
        FollowUp::CheckReached(incident) => escalation::check_reached(tx, incident),
        FollowUp::Exhausted(incident) => self_incidents::exhausted(tx, incident),
        FollowUp::OwnAlerts(provider) => own_alerts::count(tx, &provider),
        FollowUp::Begin { task, is_asked } => {
            let rest = tasks::begin(tx, task);
            if is_asked {
                tx.later = rest;
            }
        }
    }
}

fn given_up(tx: &mut StepTransaction<'_>, page: &Arc<Page>) {
    rate_limit::take_back(tx, page);
    if page.state == PageState::Failed && page.asks() {
        for incident in &page.incidents {
            escalation::check_reached(tx, incident.number);
        }
        contact_test_result::failed(tx, page);
    }
    ended(tx, page);
}

/// A message whose update is out may be updated again, and a resolved incident may go to history.
fn ended(tx: &mut StepTransaction<'_>, page: &Page) {
    updates::page_finished(tx, page);
    for incident in &page.incidents {
        archive::settle(tx, incident.number);
    }
}

fn take(tx: &mut StepTransaction<'_>, input: Input) {
    match input {
        Input::Start => start(tx),
        Input::Stop => recovery::stop(tx),
        Input::Suspended { lost } => recovery::suspended(tx, lost),
        Input::ClockAhead { by } => jump::ahead(tx, by),
        Input::ClockBack { by } => jump::back(tx, by),
        Input::ConfirmClock => jump::confirm(tx),
        Input::Events {
            integration,
            events,
        } => pending::take_in(tx, &integration, events),
        Input::Keep {
            integration,
            events,
            request,
            is_whole,
        } => {
            let request = pending::keep(tx, &integration, events, request, is_whole);
            tx.later = Some(request);
        }
        Input::GoOn { task, stride } => tasks::go_on(tx, task, stride),
        Input::Due(key) => due(tx, &key),
        Input::Outcome(report) => attempt_result::apply_outcome(tx, &report),
        Input::DeliveryReport(report) => tx.answer = said(delivery_report::apply(tx, report), done),
        Input::Probed(probed) => check::probed(tx, &probed),
        Input::SlotFree(pick) => slot::give(tx, &pick),
        Input::Act(act) => tx.answer = said(actions::act(tx, &act), Answer::Acted),
        Input::Press(press) => tx.answer = said(replied::press(tx, &press), Answer::Acted),
        Input::Sms(sms) => tx.answer = Answer::Sms(sms_commands::sms(tx, &sms)),
        Input::PageByHand(request) => {
            tx.answer = said(page_by_hand::page_by_hand(tx, &request), Answer::Opened);
        }
        Input::Silence(request) => {
            let covers_none = |silence| Answer::Silence { silence, covers: 0 };
            tx.answer = said(silence_request::set(tx, request), covers_none);
        }
        Input::ExpireSilence(silence) => {
            tx.answer = said(silence_request::expire(tx, silence), done);
        }
        Input::Override(request) => tx.answer = said(overrides::set(tx, request), Answer::Override),
        Input::RemoveOverride(override_) => {
            tx.answer = said(overrides::remove(tx, override_), done);
        }
        Input::RulesChanged => rules_changed(tx),
        Input::Raise { trouble, text } => {
            tx.answer = Answer::Done;
            self_incidents::raise(tx, trouble, &text);
        }
        Input::Clear { trouble } => {
            tx.answer = Answer::Done;
            self_incidents::clear(tx, &trouble);
        }
        Input::LookedAt {
            provider,
            url,
            look,
        } => {
            let again = providers::looked_at(tx, (&provider, &url), look);
            tx.answer = Answer::LookedAt { again };
        }
        Input::AcceptPage(name) => tx.answer = said(providers::accept_page(tx, &name), done),
        Input::OwnChecked(checked) => own_checks::checked(tx, checked),
        Input::Status(act) => tx.answer = said(status_requests::act(tx, act), Answer::StatusActed),
        Input::Minute => minute(tx),
    }
}

/// What is said to whoever asked; what follows may complete it.
fn said<T>(result: Result<T, Refusal>, answer: impl FnOnce(T) -> Answer) -> Answer {
    result.map_or_else(Answer::Refused, answer)
}

fn done((): ()) -> Answer {
    Answer::Done
}

fn rules_changed(tx: &mut StepTransaction<'_>) {
    conditions::look_for_gone(tx);
    conditions::look_for_unusable_targets(tx);
    unreported::rules_changed(tx);
    providers::rules_changed(tx);
    own_checks::rules_changed(tx);
    status_pages(tx);
    check::plan(tx);
}

fn start(tx: &mut StepTransaction<'_>) {
    recovery::start(tx);
    status_pages(tx);
}

fn minute(tx: &mut StepTransaction<'_>) {
    status_components::review_all(tx);
    conditions::look_for_gaps(tx);
    channel_trouble::look_for_silent(tx);
    contact_test::look(tx);
}

/// Other rules may show other services, and other components.
fn status_pages(tx: &mut StepTransaction<'_>) {
    status_alerts::begin_review(tx);
    status_components::review_all(tx);
}

fn due(tx: &mut StepTransaction<'_>, key: &TimerKey) {
    match key {
        TimerKey::Incident(number) => incident_timers::due(tx, *number),
        TimerKey::Page(page) => page_timers::due(tx, *page),
        TimerKey::Alert(alert) => ingest::due(tx, *alert),
        TimerKey::Person(user) => bundle::due(tx, user),
        TimerKey::Channel(channel) => probe::probe_due(tx, channel),
        TimerKey::Group(key) => tx.drop_group(key),
        TimerKey::Silence(id) => silence::due(tx, *id),
        TimerKey::Override(id) => overrides::due(tx, *id),
        TimerKey::Jump => jump::due(tx),
        TimerKey::Provider(name) => provider_reading::due(tx, name),
        TimerKey::StatusComponent(key) => status_components::due(tx, key),
        TimerKey::StatusPost(key) => status_timers::due(tx, key),
    }
}
