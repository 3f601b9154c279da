//! What people and providers ask of the engine, each answered by its own reply: nobody outside
//! takes the driver's answers apart.

use crate::engine::decision::Answer;
use crate::engine::request::Request;
use crate::runtime::handle::{Handle, RecordOf, RequestError};

impl Handle {
    /// Hands a request in and waits for its reply; what `record` makes of the reply is durable with
    /// it.
    pub async fn ask<R: Request>(
        &self,
        request: R,
        record: Option<RecordOf<R::Reply>>,
    ) -> Result<R::Reply, RequestError> {
        let input = request.into_input();
        let answer = match record {
            None => self.command(input).await?,
            Some(record) => {
                let record = |answer: &Answer| R::reply(answer.clone()).map(|it| record(&it));
                self.command_recorded(input, Box::new(record)).await?
            }
        };
        if let Answer::Refused(refusal) = answer {
            return Err(refusal.into());
        }
        R::reply(answer).ok_or(RequestError::Unexpected)
    }
}
