//! Buttons in Slack messages, as Slack posts them, signed over time and body: what the button does,
//! which page its value names, and which account pressed it.

use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::channels::inbound::{
    ButtonPress, Denial, Endpoint, Head, Inbound, Origin, Posted, Refusal, Verdict,
};
use crate::engine::input::Verb;
use crate::engine::time::{Duration, Timestamp};
use crate::signing::Refused;
use crate::text::form;

use super::settings::Settings;
use super::signature::{self, Headers};

/// The header of the signature. It is over time and body, so that no two presses share one.
const SIGNATURE: &str = "x-slack-signature";

/// The form's `payload`, as far as it is used.
#[derive(Debug, Deserialize)]
struct SlackPayload {
    #[serde(rename = "type")]
    kind: String,
    user: SlackUser,
    channel: Option<SlackChannel>,
    #[serde(default)]
    actions: Vec<Pressed>,
    response_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SlackUser {
    id: String,
}

#[derive(Debug, Deserialize)]
struct SlackChannel {
    id: String,
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
struct Pressed {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
}

impl Inbound for Settings {
    fn takes(&self, endpoint: Endpoint) -> bool {
        endpoint == Endpoint::Buttons
    }

    fn verify(&self, head: &Head, body: Option<&[u8]>) -> Result<Verdict, Refusal> {
        if body.is_none() && head.headers.contains_key(SIGNATURE) {
            return Ok(Verdict::NeedsBody);
        }
        let headers = Headers {
            timestamp: head.header("x-slack-request-timestamp"),
            signature: head.header(SIGNATURE),
        };
        let body = body.unwrap_or_default();
        let secret = self.signing_secret.as_ref();
        let secret = secret.map_or("", ExposeSecret::expose_secret);
        let Err(refused) = signature::verify(secret, headers, body, head.now) else {
            return Ok(Verdict::Genuine);
        };
        let origin = match refused {
            Refused::Malformed | Refused::NoSecret => Origin::Unknown,
            Refused::Stale
            | Refused::Mismatch
            | Refused::NoSharedKey
            | Refused::UnknownAlgorithm => Origin::LikelyProvider,
        };
        let help = "the signature is not valid; check signing_secret and the clock";
        Err(Refusal {
            what: "a request in the name of Slack",
            cause: refused.to_string(),
            origin,
            denial: Denial::Unauthorized(help.to_owned()),
        })
    }

    fn read(&self, head: &Head, body: &[u8]) -> Result<Posted, String> {
        let form = form::fields(body);
        let payload = form::field(&form, "payload").ok_or("the form has no field payload")?;
        let payload: SlackPayload = serde_json::from_str(payload)
            .map_err(|error| format!("payload is not valid: {error}"))?;
        if payload.kind != "block_actions" {
            return Ok(Posted::Nothing);
        }
        let mut pressed = payload.actions.into_iter().filter_map(|pressed| {
            let verb = verb(&pressed.action_id, head.now)?;
            Some((verb, pressed.value?))
        });
        // Buttons that are links are reported too and need nothing.
        let Some((verb, token)) = pressed.next() else {
            return Ok(Posted::Nothing);
        };
        let channel = payload.channel;
        Ok(Posted::Press(ButtonPress {
            verb,
            token,
            account: payload.user.id,
            id: head.header(SIGNATURE).into(),
            is_direct: channel.is_some_and(|channel| channel.id.starts_with('D')),
            answer_address: payload.response_url,
        }))
    }
}

/// What a button does, by the last word of its action id.
fn verb(action_id: &str, now: Timestamp) -> Option<Verb> {
    let word = action_id.rsplit(|character: char| !character.is_ascii_alphanumeric());
    match word.into_iter().next()? {
        "acknowledge" | "ack" => Some(Verb::Acknowledge),
        "decline" => Some(Verb::Decline),
        "resolve" => Some(Verb::Resolve),
        "snooze" => Some(Verb::Snooze {
            until: now + Duration::hours(1),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_an_action_id_says_what_to_do() {
        let later = Verb::Snooze {
            until: Timestamp(3_600_000),
        };
        let cases = [
            ("acknowledge", Some(Verb::Acknowledge)),
            ("reveille_acknowledge", Some(Verb::Acknowledge)),
            ("reveille:decline", Some(Verb::Decline)),
            ("resolve", Some(Verb::Resolve)),
            ("snooze", Some(later)),
            ("open_link", None),
            ("", None),
        ];
        for (id, expected) in cases {
            assert_eq!(verb(id, Timestamp(0)), expected, "{id}");
        }
    }
}
