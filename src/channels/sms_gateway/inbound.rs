//! How a text gateway hands in replies.

/// JSON pointers into the body of a reply, and by what it is believed.
#[derive(Clone)]
pub struct Inbound {
    /// As bearer token or `?key=`.
    pub key: String,
    pub from: String,
    pub text: String,
    /// Empty for a gateway that gives none.
    pub message_id: String,
    /// What became of a reply is told by a message of its own, and not in our answer.
    pub confirms_by_sms: bool,
}
