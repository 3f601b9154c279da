//! The few calls into other rooms whose form is still moving, each behind one thin function, so
//! that a change over there is a change of one line here.

use crate::engine::ids::{PageId, UserName};
use crate::engine::ruleset::{Format, Integration};
use crate::engine::time::Wall;
use crate::inbound::{self, Parsed};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

/// How a content security policy names an inline style.
pub fn page_style_source(style: &str) -> String {
    format!("'sha256-{}'", base64(&sha256(style.as_bytes())))
}

/// Base64 with the standard alphabet and padding.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Reads base64 with the standard alphabet.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Reads a body in a format that the path demands, whatever the integration says.
pub fn parse_as(format: Format, integration: &Integration, body: &[u8], now: Wall) -> Parsed {
    let integration = Integration {
        format,
        ..integration.clone()
    };
    inbound::parse(&integration, body, now)
}

/// The routing key of a PagerDuty event, even where the rest of it is no good.
pub fn routing_key(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body.get("routing_key")?.as_str().map(str::to_owned)
}

/// The page of which a token speaks; nothing is verified yet.
pub fn page_of_token(token: &str) -> Option<PageId> {
    let _ = token;
    None
}

/// Whether a token was made by us for this page, generation and user.
pub fn verify_token(
    secret: &[u8; 32],
    token: &str,
    page: PageId,
    generation: u64,
    user: Option<&UserName>,
) -> bool {
    let _ = (secret, token, page, generation, user);
    false
}

/// Whether Slack signed this body with this secret within five minutes.
pub fn verify_slack(
    secret: &str,
    timestamp: &str,
    body: &[u8],
    signature: &str,
    now: Wall,
) -> bool {
    let _ = (secret, timestamp, body, signature, now);
    false
}

/// Whether Twilio signed these parameters for this address.
pub fn verify_twilio(
    auth_token: &str,
    url: &str,
    parameters: &[(String, String)],
    signature: &str,
) -> bool {
    let _ = (auth_token, url, parameters, signature);
    false
}
