//! Mails to many readers who asked for them, which are no pages: what one says, and who sends it.
//!
//! Such a mailer has connections of its own, so that a long list of readers neither takes the
//! place of a page nor says anything of the health of the channel whose relay it uses.

use super::{Pending, Sent};
use crate::engine::time::Timestamp;

/// One mail for one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkMail {
    /// One address, without a name.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// What makes its id: the same for the same mail, so that one that is sent twice shows once.
    pub key: String,
    /// For `Date`.
    pub written_at: Timestamp,
    /// For `List-Id`: a name that is the same for all mails of the list.
    pub list: String,
    /// The address that ends the subscription by one POST (RFC 8058); a mail that asks for
    /// confirmation has none.
    pub unsubscribe: Option<String>,
}

/// Hands over mails to many readers, one at a time each.
pub trait BulkMailer: Send + Sync {
    /// Makes one attempt, within a deadline of its own. Its words may hold the address and are no
    /// part of any log.
    fn send<'mailer>(&'mailer self, mail: &'mailer BulkMail) -> Pending<'mailer, Sent>;
}
