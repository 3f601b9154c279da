//! What Twilio posts to us: by what it is believed.

/// What tells a request of Twilio from one in its name.
#[derive(Clone, Default)]
pub struct Account {
    pub sid: String,
    pub auth_token: String,
    pub shared_keys: Vec<String>,
}
