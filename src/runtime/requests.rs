//! What people ask of the engine, one method each, answered by its own result: nobody outside takes
//! the driver's answers apart.

use crate::engine::decision::{Acted, Answer, SmsAnswer};
use crate::engine::event::Text;
use crate::engine::ids::{AttemptId, ChannelName, IncidentNumber, OverrideId, SilenceId};
use crate::engine::input::{
    Act, Actor, Input, OverrideRequest, PageByHand, Press, SilenceRequest, SmsReply,
};
use crate::engine::outcome::Outcome;
use crate::runtime::handle::{Handle, RecordOf, RequestError};

/// Takes the one answer that can come when nothing is refused.
macro_rules! only {
    ($answer:pat => $result:expr) => {
        |answer| {
            if let $answer = answer {
                Some($result)
            } else {
                None
            }
        }
    };
}

impl Handle {
    /// An act on incidents; what `record` makes of its result is durable with it.
    pub async fn act(
        &self,
        act: Act,
        record: Option<RecordOf<Vec<Acted>>>,
    ) -> Result<Vec<Acted>, RequestError> {
        self.ask(
            Input::Act(act),
            only!(Answer::Acted(acted) => acted),
            record,
        )
        .await
    }

    /// A button was pressed.
    pub async fn press(&self, press: Press) -> Result<Vec<Acted>, RequestError> {
        self.ask(
            Input::Press(press),
            only!(Answer::Acted(acted) => acted),
            None,
        )
        .await
    }

    /// A text message came in; the result is what is said to it.
    pub async fn text_message(&self, reply: SmsReply) -> Result<SmsAnswer, RequestError> {
        let said = only!(Answer::Sms(said) => said);
        self.ask(Input::Sms(reply), said, None).await
    }

    /// Opens an incident by hand.
    pub async fn page_by_hand(&self, page: PageByHand) -> Result<IncidentNumber, RequestError> {
        let opened = only!(Answer::Opened(number) => number);
        self.ask(Input::PageByHand(page), opened, None).await
    }

    /// Sets a silence; the result is its id and how many open incidents it covers.
    pub async fn set_silence(
        &self,
        request: SilenceRequest,
        record: RecordOf<(SilenceId, usize)>,
    ) -> Result<(SilenceId, usize), RequestError> {
        let set = only!(Answer::Silence { silence, covers } => (silence, covers));
        self.ask(Input::Silence(request), set, Some(record)).await
    }

    /// Ends a silence now.
    pub async fn expire_silence(
        &self,
        silence: SilenceId,
        actor: Actor,
        record: RecordOf<()>,
    ) -> Result<(), RequestError> {
        let input = Input::ExpireSilence { silence, actor };
        self.ask(
            input,
            only!(Answer::Done | Answer::None => ()),
            Some(record),
        )
        .await
    }

    /// Lets somebody stand in on a schedule.
    pub async fn add_override(
        &self,
        request: OverrideRequest,
        record: RecordOf<OverrideId>,
    ) -> Result<OverrideId, RequestError> {
        let added = only!(Answer::Override(id) => id);
        self.ask(Input::Override(request), added, Some(record))
            .await
    }

    /// Takes an override back.
    pub async fn remove_override(
        &self,
        override_: OverrideId,
        actor: Actor,
        record: RecordOf<()>,
    ) -> Result<(), RequestError> {
        let input = Input::RemoveOverride { override_, actor };
        self.ask(
            input,
            only!(Answer::Done | Answer::None => ()),
            Some(record),
        )
        .await
    }

    /// An admin says that the wall clock is right.
    pub async fn confirm_clock(&self, record: RecordOf<()>) -> Result<(), RequestError> {
        self.ask(
            Input::ConfirmClock,
            only!(Answer::Done | Answer::None => ()),
            Some(record),
        )
        .await
    }

    /// A provider reported on an attempt after its answer.
    pub async fn delivery_report(
        &self,
        channel: ChannelName,
        attempt: AttemptId,
        outcome: Outcome,
        message: Text,
    ) -> Result<(), RequestError> {
        let input = Input::DeliveryReport {
            channel,
            attempt,
            outcome,
            provider_message: Some(message),
        };
        self.ask(input, only!(Answer::Done | Answer::None => ()), None)
            .await
    }

    async fn ask<T: 'static>(
        &self,
        input: Input,
        result: fn(Answer) -> Option<T>,
        record: Option<RecordOf<T>>,
    ) -> Result<T, RequestError> {
        let answer = match record {
            None => self.control(input).await?,
            Some(record) => {
                let record =
                    move |answer: &Answer| result(answer.clone()).map(|done| record(&done));
                self.control_recorded(input, Box::new(record)).await?
            }
        };
        if let Answer::Refused(refusal) = answer {
            return Err(refusal.into());
        }
        result(answer).ok_or(RequestError::Unexpected)
    }
}
