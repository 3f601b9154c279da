//! Taking the driver's answers apart. A request that was refused becomes a problem; an answer of
//! another kind than asked for is our own mistake.

use crate::engine::decision::{Acted, Answer, SmsAnswer};
use crate::engine::ids::{IncidentNumber, OverrideId, SilenceId};

use super::problem::Problem;

/// The answer to an act of a person.
pub fn acted(answer: Answer) -> Result<Vec<Acted>, Problem> {
    let Answer::Acted(acted) = answer else {
        return Err(refused(answer));
    };
    Ok(acted)
}

/// The answer to a page by hand.
pub fn opened(answer: Answer) -> Result<IncidentNumber, Problem> {
    let Answer::Opened(number) = answer else {
        return Err(refused(answer));
    };
    Ok(number)
}

/// The answer to a silence: its id and how many open incidents it covers.
pub fn silence(answer: Answer) -> Result<(SilenceId, usize), Problem> {
    let Answer::Silence { silence, covers } = answer else {
        return Err(refused(answer));
    };
    Ok((silence, covers))
}

/// The answer to an override.
pub fn override_(answer: Answer) -> Result<OverrideId, Problem> {
    let Answer::Override(id) = answer else {
        return Err(refused(answer));
    };
    Ok(id)
}

/// The answer to something that is done or refused.
pub fn done(answer: Answer) -> Result<(), Problem> {
    match answer {
        Answer::Done | Answer::None => Ok(()),
        Answer::Refused(_)
        | Answer::Receipts(_)
        | Answer::Acted(_)
        | Answer::Sms(_)
        | Answer::Opened(_)
        | Answer::Silence { .. }
        | Answer::Override(_) => Err(refused(answer)),
    }
}

/// The reply to a text message.
pub fn sms(answer: Answer) -> Result<SmsAnswer, Problem> {
    let Answer::Sms(reply) = answer else {
        return Err(refused(answer));
    };
    Ok(reply)
}

fn refused(answer: Answer) -> Problem {
    if let Answer::Refused(refusal) = answer {
        return refusal.into();
    }
    tracing::error!(
        driver.answer = ?answer,
        "the driver answered with the wrong kind of answer"
    );
    Problem::internal()
}
