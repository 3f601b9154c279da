//! What people and providers ask of the engine, each request with the type of its reply.

use super::decision::{Acted, Answer, SmsAnswer};
use super::event::Text;
use super::ids::{IncidentNumber, OverrideId, ProviderName, SilenceId};
use super::input::{
    Act, DeliveryReport, Input, OverrideRequest, OwnChecked, PageByHand, PageLook, Press,
    SilenceRequest, SmsReply,
};
use super::status_act::StatusAct;

/// Something that is asked, and answered unless it is refused.
pub trait Request {
    type Reply: 'static;

    /// As the engine takes it.
    fn into_input(self) -> Input;

    /// Its reply; `None` is no answer to this request.
    fn reply(answer: Answer) -> Option<Self::Reply>;
}

/// End a silence now.
pub struct ExpireSilence(pub SilenceId);

/// Take an override back.
pub struct RemoveOverride(pub OverrideId);

/// An admin says that the wall clock is right.
pub struct ConfirmClock;

/// The status page of a provider was looked at. The reply is whether the next look matters though
/// it finds the same.
pub struct LookedAtPage {
    pub provider: ProviderName,
    /// The address that was asked.
    pub url: Text,
    pub look: PageLook,
}

/// The page that a provider has now is the right one.
pub struct AcceptPage(pub ProviderName);

macro_rules! requests {
    ($($request:ident => $input:expr, $answer:pat => $reply:expr, $type:ty;)*) => {
        $(impl Request for $request {
            type Reply = $type;

            fn into_input(self) -> Input {
                $input(self)
            }

            fn reply(answer: Answer) -> Option<$type> {
                if let $answer = answer {
                    Some($reply)
                } else {
                    None
                }
            }
        })*
    };
}

requests! {
    Act => Input::Act, Answer::Acted(acted) => acted, Vec<Acted>;
    Press => Input::Press, Answer::Acted(acted) => acted, Vec<Acted>;
    SmsReply => Input::Sms, Answer::Sms(said) => said, SmsAnswer;
    PageByHand => Input::PageByHand, Answer::Opened(number) => number, IncidentNumber;
    SilenceRequest => Input::Silence,
        Answer::Silence { silence, covers } => (silence, covers), (SilenceId, usize);
    ExpireSilence => |it: Self| Input::ExpireSilence(it.0), Answer::Done | Answer::None => (), ();
    OverrideRequest => Input::Override, Answer::Override(id) => id, OverrideId;
    RemoveOverride => |it: Self| Input::RemoveOverride(it.0), Answer::Done | Answer::None => (), ();
    ConfirmClock => |_| Input::ConfirmClock, Answer::Done | Answer::None => (), ();
    LookedAtPage => |Self { provider, url, look }| Input::LookedAt { provider, url, look },
        Answer::LookedAt { again } => again, bool;
    AcceptPage => |it: Self| Input::AcceptPage(it.0), Answer::Done | Answer::None => (), ();
    StatusAct => Input::Status, Answer::StatusActed(post) => post, Option<u64>;
    OwnChecked => Input::OwnChecked, Answer::Done | Answer::None => (), ();
    DeliveryReport => Input::DeliveryReport, Answer::Done | Answer::None => (), ();
}
