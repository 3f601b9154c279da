//! What Twilio posts to us, signed: replies and delivery reports, and TwiML as the answer.

use askama::Template;
use secrecy::ExposeSecret;

use crate::channels::inbound::{
    Answer, Denial, Endpoint, Head, Inbound, Origin, Posted, Refusal, Reply, Report, Verdict,
};
use crate::engine::event::Text;
use crate::engine::ids::AttemptId;
use crate::text::form;
use crate::text::truncate::prefix;

use super::outcome;
use super::settings::Settings;
use super::signature::{self, Keys, Signed};

const SIGNATURE: &str = "x-twilio-signature";
const SIGNATURE_SETTINGS: &str = "x-twilio-webhooks-signature-settings";

impl Inbound for Settings {
    fn takes(&self, endpoint: Endpoint) -> bool {
        match endpoint {
            Endpoint::Replies | Endpoint::Reports => true,
            Endpoint::Buttons => false,
        }
    }

    fn verify(&self, head: &Head, body: Option<&[u8]>) -> Result<Verdict, Refusal> {
        // What is not signed is refused whatever it says.
        if body.is_none() && head.headers.contains_key(SIGNATURE) {
            return Ok(Verdict::NeedsBody);
        }
        let form = form::fields(body.unwrap_or_default());
        let signed = Signed {
            signature: head.header(SIGNATURE),
            settings: head.header(SIGNATURE_SETTINGS),
        };
        let keys = Keys {
            auth_token: self.auth_token.expose_secret(),
            shared: &self.shared_keys,
        };
        let Err(refused) = signature::verify_form(keys, &head.url, &form, signed) else {
            return Ok(Verdict::Genuine);
        };
        let is_theirs = form::field(&form, "AccountSid") == Some(self.account_sid.as_str());
        Err(Refusal {
            what: "a request in the name of Twilio",
            cause: refused.to_string(),
            origin: if is_theirs && !signed.signature.is_empty() {
                Origin::LikelyProvider
            } else {
                Origin::Unknown
            },
            denial: Denial::Forbidden(format!("{refused} (Twilio)")),
        })
    }

    fn read(&self, head: &Head, body: &[u8]) -> Result<Posted, String> {
        let form = form::fields(body);
        match head.endpoint {
            Endpoint::Replies => Ok(Posted::Reply(Reply {
                from: required(&form, "From")?,
                text: form::field(&form, "Body").unwrap_or("").into(),
                message_id: required(&form, "MessageSid")?,
            })),
            Endpoint::Reports => report(head, &form),
            Endpoint::Buttons => Ok(Posted::Nothing),
        }
    }

    /// TwiML; an empty response sends nothing.
    fn answer(&self, told: Option<&str>) -> Answer {
        let told = told.map(printable);
        Answer {
            content_type: "text/xml; charset=utf-8",
            // Writing into a string cannot fail.
            body: Twiml { told }.render().unwrap_or_default(),
        }
    }
}

fn report(head: &Head, form: &[(String, String)]) -> Result<Posted, String> {
    let attempt = head.query("attempt").and_then(|text| text.parse().ok());
    let attempt = attempt.ok_or("the address has no ?attempt=")?;
    let word = form::field(form, "MessageStatus").unwrap_or("");
    let code = form::field(form, "ErrorCode").unwrap_or("");
    let Some(outcome) = outcome::of_report(word, code.parse().ok()) else {
        return Ok(Posted::Nothing);
    };
    let message = if code.is_empty() {
        word.to_owned()
    } else {
        format!("{word}, error {code}")
    };
    Ok(Posted::Report(Report {
        attempt: AttemptId(attempt),
        outcome,
        provider_message: prefix(&message, 300).to_owned(),
    }))
}

fn required(form: &[(String, String)], name: &str) -> Result<Text, String> {
    let value = form::field(form, name).filter(|value| !value.is_empty());
    let value = value.map(Text::from);
    value.ok_or_else(|| format!("the form has no field {name}"))
}

/// The answer as Twilio reads it, escaped by the template engine.
#[derive(Template)]
#[template(
    ext = "xml",
    source = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>\
        {% if let Some(told) = told %}<Message>{{ told }}</Message>{% endif %}</Response>"
)]
struct Twiml {
    told: Option<String>,
}

/// What XML cannot hold even as an escape becomes a space.
fn printable(text: &str) -> String {
    let is_printable = |sign: char| match sign {
        '\n' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => !other.is_control(),
    };
    let signs = text.chars();
    signs
        .map(|sign| if is_printable(sign) { sign } else { ' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;

    #[test]
    fn a_reply_is_escaped_and_silence_is_an_empty_response() {
        let cases = [
            (
                Some("#1042 <b> & \u{0}x"),
                "<Response><Message>#1042 &#60;b&#62; &#38;  x</Message></Response>",
            ),
            (None, "<Response></Response>"),
        ];
        for (text, expected) in cases {
            let answer = settings(String::new()).answer(text);
            assert!(answer.body.ends_with(expected), "{}", answer.body);
        }
    }
}
