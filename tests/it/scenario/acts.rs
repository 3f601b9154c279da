//! What monitors and people do in a world.

use std::sync::Arc;

use reveille::engine::decision::{ActResult, Acted, Answer};
use reveille::engine::event::{Action, Content, Event, EventTime, Link};
use reveille::engine::ids::{IncidentNumber, PageId, SilenceId};
use reveille::engine::input::{
    Act, ActOn, Actor, Input, OverrideRequest, PageByHand, ReassignTo, SilenceRequest, SmsReply,
    Verb, Via,
};
use reveille::engine::matcher::Matcher;
use reveille::engine::records::{Disposition, Receipt};
use reveille::engine::time::Timestamp;
use reveille::engine::urgency::Urgency;

use super::world::{World, length};

/// An event in the making.
#[derive(Clone)]
pub struct Post {
    integration: String,
    event: Event,
    labels: Vec<(String, String)>,
}

/// A critical trigger without more.
pub fn trigger(key: &str) -> Post {
    Post {
        integration: "native".to_owned(),
        event: Event {
            action: Action::Trigger,
            dedup_key: key.into(),
            id: None,
            spoken: EventTime::OccurredAt(None),
            asserted_by: None,
            content: Arc::new(Content {
                summary: key.into(),
                severity: "critical".into(),
                ..Content::default()
            }),
            faults: Vec::new(),
        },
        labels: Vec::new(),
    }
}

impl Post {
    /// By another integration than `native`.
    pub fn of(mut self, integration: &str) -> Self {
        integration.clone_into(&mut self.integration);
        self
    }

    pub fn severity(mut self, severity: &str) -> Self {
        Arc::make_mut(&mut self.event.content).severity = severity.into();
        self
    }

    pub fn summary(mut self, summary: &str) -> Self {
        Arc::make_mut(&mut self.event.content).summary = summary.into();
        self
    }

    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn details(mut self, json: &str) -> Self {
        Arc::make_mut(&mut self.event.content).details = Some(json.into());
        self
    }

    pub fn link(mut self, href: &str) -> Self {
        let link = Link {
            href: href.into(),
            text: None,
        };
        Arc::make_mut(&mut self.event.content).links.push(link);
        self
    }

    pub fn id(mut self, id: &str) -> Self {
        self.event.id = Some(id.into());
        self
    }

    pub fn action(mut self, action: Action) -> Self {
        self.event.action = action;
        self
    }

    /// The source says that it happened then.
    pub fn occurred(mut self, at: Timestamp) -> Self {
        self.event.spoken = EventTime::OccurredAt(Some(at));
        self
    }

    /// The source asserts a state that began then.
    pub fn asserted(mut self, starts_at: Timestamp, ends_at: Option<Timestamp>) -> Self {
        self.event.spoken = EventTime::StateAsserted {
            starts_at: Some(starts_at),
            ends_at,
        };
        self
    }

    /// One of several senders asserts it.
    pub fn asserted_by(mut self, generator: &str) -> Self {
        self.event.asserted_by = Some(generator.into());
        self
    }

    pub fn input(mut self) -> Input {
        let content = Arc::make_mut(&mut self.event.content);
        content.labels = self.labels.into_iter().collect();
        Input::Events {
            integration: self.integration.as_str().into(),
            events: vec![self.event],
        }
    }
}

/// The events of posts, in one request of `native`.
pub fn in_one_request(posts: Vec<Post>) -> Input {
    let events = posts.into_iter().flat_map(|post| match post.input() {
        Input::Events { events, .. } => events,
        other => panic!("not events: {other:?}"),
    });
    Input::Events {
        integration: "native".into(),
        events: events.collect(),
    }
}

pub fn act_input(who: &str, on: ActOn, verb: Verb) -> Input {
    Input::Act(Act {
        actor: actor(who),
        on,
        verb,
    })
}

pub fn actor(who: &str) -> Actor {
    Actor {
        name: who.into(),
        user: Some(who.into()),
        via: Via::Api,
    }
}

/// A silence over alerts with a matcher, from now on.
pub fn silence_input(replaces: Option<SilenceId>, matcher: &str, until: Timestamp) -> Input {
    Input::Silence(SilenceRequest {
        actor: actor("ana"),
        matchers: vec![Matcher::parse(matcher).expect("a matcher")],
        everything: false,
        from: None,
        until,
        reason: "maintenance".into(),
        replaces,
    })
}

pub fn on(number: u64) -> ActOn {
    ActOn::Incidents(vec![IncidentNumber(number)])
}

impl World {
    /// Posts an event and gives its receipt.
    pub fn give(&mut self, post: Post) -> Arc<Receipt> {
        self.request(vec![post]).remove(0)
    }

    /// Posts events in one request and gives their receipts.
    pub fn request(&mut self, posts: Vec<Post>) -> Vec<Arc<Receipt>> {
        match self.ask(in_one_request(posts)) {
            Answer::Receipts(receipts) => receipts,
            other => panic!("not receipts: {other:?}"),
        }
    }

    /// A critical trigger.
    pub fn post(&mut self, key: &str) -> Disposition {
        self.give(trigger(key)).disposition
    }

    pub fn resolve_event(&mut self, key: &str) -> Disposition {
        self.give(trigger(key).action(Action::Resolve)).disposition
    }

    pub fn act(&mut self, who: &str, on: ActOn, verb: Verb) -> Vec<Acted> {
        match self.ask(act_input(who, on, verb)) {
            Answer::Acted(acted) => acted,
            other => panic!("not an act: {other:?}"),
        }
    }

    #[track_caller]
    pub fn does(&mut self, who: &str, number: u64, verb: Verb) {
        let acted = self.act(who, on(number), verb);
        assert_eq!(acted[0].result, ActResult::Done, "#{number}");
    }

    #[track_caller]
    pub fn ack(&mut self, number: u64, who: &str) {
        self.does(who, number, Verb::Acknowledge);
    }

    /// Acts on what a page showed, as its link does.
    pub fn link(&mut self, page: PageId, who: &str, verb: Verb) -> Vec<Acted> {
        self.act(who, ActOn::Page(page), verb)
    }

    /// A text message; what is answered.
    pub fn sms(&mut self, from: &str, text: &str) -> Option<String> {
        let id = format!("{}-{text}", self.commits());
        self.sms_with_id(from, text, &id)
    }

    pub fn sms_with_id(&mut self, from: &str, text: &str, id: &str) -> Option<String> {
        self.sms_by("twilio", from, text, id)
    }

    /// A text message that came in by this channel.
    pub fn sms_by(&mut self, channel: &str, from: &str, text: &str, id: &str) -> Option<String> {
        let reply = SmsReply {
            channel: channel.into(),
            from: from.into(),
            text: text.into(),
            message_id: id.into(),
        };
        match self.ask(Input::Sms(reply)) {
            Answer::Sms(reply) => reply.text.map(|text| text.to_string()),
            other => panic!("not a reply: {other:?}"),
        }
    }

    /// A silence over alerts with a matcher, for so long from now; how many incidents it covers.
    pub fn silence(&mut self, matcher: &str, time: &str) -> (SilenceId, usize) {
        self.silence_in_place_of(None, matcher, time)
    }

    /// The same, in place of another silence.
    pub fn silence_in_place_of(
        &mut self,
        replaces: Option<SilenceId>,
        matcher: &str,
        time: &str,
    ) -> (SilenceId, usize) {
        let request = silence_input(replaces, matcher, self.wall() + length(time));
        match self.ask(request) {
            Answer::Silence { silence, covers } => (silence, covers),
            other => panic!("not a silence: {other:?}"),
        }
    }

    pub fn stand_in(&mut self, schedule: &str, user: &str, time: &str) {
        let request = OverrideRequest {
            actor: actor(user),
            schedule: schedule.into(),
            user: user.into(),
            from: None,
            until: self.wall() + length(time),
            reason: "swap".into(),
        };
        let answer = self.ask(Input::Override(request));
        assert!(matches!(answer, Answer::Override(_)), "{answer:?}");
    }

    pub fn page_by_hand(&mut self, to: ReassignTo, text: &str, urgency: Urgency) -> Answer {
        self.ask(Input::PageByHand(PageByHand {
            actor: actor("ana"),
            to,
            text: text.into(),
            urgency,
        }))
    }

    pub fn snooze(&mut self, number: u64, who: &str, time: &str) {
        let until = self.wall() + length(time);
        self.does(who, number, Verb::Snooze { until });
    }
}
