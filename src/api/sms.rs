//! Text messages that come in: from Twilio, signed, and from other gateways, with a key.

use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::channels::sms_gateway::inbound::Inbound;
use crate::engine::event::Text;
use crate::engine::ids::ChannelName;
use crate::engine::input::SmsReply;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Timestamp;
use crate::signing::twilio::{self, Keys, Signed};
use crate::text::{hash, hex, truncate::prefix};

use super::access::secret_of;
use super::body;
use super::extract::{Json, Path, Whose, whole_body};
use super::guesses::peer;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::refusals::{self, Origin};

/// Characters of a message that are looked at; what we understand is far shorter.
const TEXT_CHARACTERS_MAX: usize = 500;

/// Bytes of a message with everything around it.
const SMS_BYTES_MAX: usize = 64 * 1024;

/// An incoming text message
#[utoipa::path(
    post, path = "/sms/{channel}/inbound", security(("signature" = [])),
    params(("key" = Option<String>, Query)),
    responses((status = 200))
)]
pub async fn inbound(
    State(state): State<AppState>,
    Path(channel): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, Problem> {
    let channel = ChannelName::from(channel);
    if let Some(settings) = state.sms_webhooks.get(&channel).cloned() {
        return from_gateway(&state, channel, &settings, &uri, request).await;
    }
    let form = signed_by_twilio(&state, &channel, &uri, request).await?;
    let from = required(&form, "From")?;
    log_unknown(&state.handle.rules(), &channel, &from);
    let reply = SmsReply {
        channel,
        from,
        text: prefix(
            body::field(&form, "Body").unwrap_or(""),
            TEXT_CHARACTERS_MAX,
        )
        .into(),
        message_id: required(&form, "MessageSid")?,
    };
    let reply = state.handle.text_message(reply).await?;
    Ok(twiml(reply.text.as_deref()))
}

/// The form of a request, if Twilio signed it for our public address.
pub async fn signed_by_twilio(
    state: &ApiState,
    channel: &ChannelName,
    uri: &Uri,
    request: Request,
) -> Result<Vec<(String, String)>, Problem> {
    let account = state.twilio_accounts.get(channel);
    let account =
        account.ok_or_else(|| Problem::not_found("channel", "of this name accepts messages"))?;
    let headers = request.headers().clone();
    // What is not signed is refused whatever it says.
    let form = if headers.contains_key("x-twilio-signature") {
        body::form(&whole_body(state, request, SMS_BYTES_MAX, Whose::Unknown).await?)
    } else {
        Vec::new()
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Signed {
        signature: text("x-twilio-signature").unwrap_or(""),
        settings: text("x-twilio-webhooks-signature-settings").unwrap_or(""),
    };
    let keys = Keys {
        auth_token: &account.auth_token,
        shared: &account.shared_keys,
    };
    let url = public_address(&state.settings.public_url, uri);
    let Err(refused) = twilio::verify_form(keys, &url, &form, signed) else {
        return Ok(form);
    };
    let is_theirs = body::field(&form, "AccountSid") == Some(account.sid.as_str());
    let origin = if is_theirs && !signed.signature.is_empty() {
        Origin::LikelyProvider
    } else {
        Origin::Unknown
    };
    let cause = refused.to_string();
    refusals::note(
        state,
        channel,
        "a request in the name of Twilio",
        &cause,
        origin,
    )
    .await;
    Err(Problem::forbidden(format!("{cause} (Twilio)")))
}

/// The address that Twilio signed: never taken from headers, which a client can choose.
fn public_address(public_url: &str, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", public_url.trim_end_matches('/'))
}

async fn from_gateway(
    state: &ApiState,
    channel: ChannelName,
    settings: &Inbound,
    uri: &Uri,
    request: Request,
) -> Result<Response, Problem> {
    if !has_key(settings, request.headers(), uri) {
        let is_keyed = secret_of(request.headers()).is_some() || query_key(uri).is_some();
        let origin = if is_keyed {
            Origin::LikelyProvider
        } else {
            Origin::Unknown
        };
        let cause = "it does not include inbound_key";
        refusals::note(
            state,
            &channel,
            "a reply through the gateway",
            cause,
            origin,
        )
        .await;
        let refused =
            Problem::unauthorized("send inbound_key as `Authorization: Bearer …` or as ?key=");
        if !is_keyed {
            return Err(refused);
        }
        let peer = peer(request.extensions());
        return Err(state.guesses.answer(peer, state.now(), refused));
    }
    let bytes = whole_body(state, request, SMS_BYTES_MAX, Whose::Known).await?;
    let body: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body is not JSON: {error}")))?;
    let message_id = if settings.message_id.is_empty() {
        made_up_id(&bytes, state.now())
    } else {
        pointed(&body, "inbound.message_id", &settings.message_id)?
    };
    let from = pointed(&body, "inbound.from", &settings.from)?;
    let rules = state.handle.rules();
    log_unknown(&rules, &channel, &from);
    let reply = SmsReply {
        channel: channel.clone(),
        from: from.clone(),
        text: prefix(
            &pointed(&body, "inbound.text", &settings.text)?,
            TEXT_CHARACTERS_MAX,
        )
        .into(),
        message_id,
    };
    let reply = state.handle.text_message(reply).await?;
    let text = reply.text.map(|text| text.to_string());
    let (confirmed, answered) = match settings.confirms_by_sms {
        // The SMS of its own is out, or on its way.
        true if reply.is_repeat => (None, None),
        true => (text, None),
        false => (None, text),
    };
    if let (Some(text), Some(number)) = (confirmed, rules.phone_of(&from)) {
        let number = number.to_owned();
        state.channels.confirm_by_sms(&channel, number, text);
    }
    Ok(Json(json!({"reply": answered})).into_response())
}

/// `?key=`
fn query_key(uri: &Uri) -> Option<String> {
    let query = body::form(uri.query().unwrap_or_default().as_bytes());
    body::field(&query, "key").map(str::to_owned)
}

fn has_key(settings: &Inbound, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(given) = secret_of(headers).or_else(|| query_key(uri)) else {
        return false;
    };
    // Hashes are compared, so that time tells nothing about the key.
    let wanted = hash::sha256(&settings.key);
    !settings.key.is_empty() && hash::sha256(given) == wanted
}

/// An id for a gateway that gives none: the same message within the same minute is one.
fn made_up_id(body: &[u8], now: Timestamp) -> Text {
    let minute = now.0.div_euclid(60_000);
    let hash = hex::encode(&hash::sha256(body));
    format!("{minute}-{hash}").into()
}

/// An unknown sender is not answered; that somebody wrote is for whoever looks why a reply did not
/// count.
fn log_unknown(rules: &RuleSet, channel: &ChannelName, from: &str) {
    if rules.phone_of(from).is_some() {
        return;
    }
    let digits: String = from.chars().filter(char::is_ascii_digit).collect();
    let end = digits.get(digits.len().saturating_sub(4)..).unwrap_or("");
    tracing::warn!(
        channel.name = %channel,
        "a text message from a number that is no one's contact is ignored; it ends with {end:?}"
    );
}

/// Text or a number at a pointer.
fn pointed(body: &Value, setting: &str, pointer: &str) -> Result<Text, Problem> {
    let text = match body.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    text.map(Text::from).ok_or_else(|| {
        Problem::invalid(format!(
            "no text at {pointer}; {setting} of the settings names it"
        ))
    })
}

fn required(form: &[(String, String)], name: &str) -> Result<Text, Problem> {
    let value = body::field(form, name).filter(|value| !value.is_empty());
    value
        .map(Text::from)
        .ok_or_else(|| Problem::invalid(format!("the form has no field {name}")))
}

/// Twilio's answer form; an empty one sends nothing.
pub fn twiml(text: Option<&str>) -> Response {
    let message = text.map(|text| format!("<Message>{}</Message>", escaped(text)));
    let message = message.unwrap_or_default();
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let body = format!("{declaration}<Response>{message}</Response>");
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], body).into_response()
}

/// Text within XML; what XML cannot hold at all becomes a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' => escaped.push('\n'),
            control if control.is_control() => escaped.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::HeaderValue;

    use super::*;

    fn settings() -> Inbound {
        Inbound {
            key: "k".to_owned(),
            from: "/from".to_owned(),
            text: "/message/text".to_owned(),
            message_id: "/id".to_owned(),
            confirms_by_sms: false,
        }
    }

    #[test]
    fn a_gateway_shows_its_key_as_bearer_or_in_the_query() {
        let cases = [
            (Some("Bearer k"), "/sms/b/inbound", true),
            (None, "/sms/b/inbound?key=k", true),
            (None, "/sms/b/inbound?key=", false),
            (None, "/sms/b/inbound?other=k", false),
            (Some("Bearer x"), "/sms/b/inbound?key=k", false),
            (None, "/sms/b/inbound", false),
        ];
        for (header, uri, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert("authorization", HeaderValue::from_static(value));
            }
            let uri = uri.parse().unwrap();
            assert_eq!(
                has_key(&settings(), &headers, &uri),
                expected,
                "{header:?} {uri}"
            );
        }
        let unset = Inbound {
            key: String::new(),
            ..settings()
        };
        let uri = "/sms/b/inbound?key=".parse().unwrap();
        assert!(
            !has_key(&unset, &HeaderMap::new(), &uri),
            "no key set opens nothing"
        );
    }

    #[test]
    fn texts_are_found_where_the_settings_point() {
        let body = json!({"from": 351912345678_u64, "message": {"text": "ack 1042"}, "id": null});
        let from = pointed(&body, "inbound.from", "/from");
        assert_eq!(from.as_deref(), Ok("351912345678"));
        let text = pointed(&body, "inbound.text", "/message/text");
        assert_eq!(text.as_deref(), Ok("ack 1042"));
        assert!(pointed(&body, "inbound.message_id", "/id").is_err());
    }

    #[test]
    fn the_signed_address_is_the_configured_one() {
        let uri = "/sms/sms/status?attempt=7".parse().unwrap();
        let address = public_address("https://pager.example.com/", &uri);
        assert_eq!(
            address,
            "https://pager.example.com/sms/sms/status?attempt=7"
        );
    }

    #[tokio::test]
    async fn a_reply_is_escaped_and_silence_is_an_empty_response() {
        let cases = [
            (
                Some("#1042 <b> & \u{0}x"),
                "<Response><Message>#1042 &lt;b&gt; &amp;  x</Message></Response>",
            ),
            (None, "<Response></Response>"),
        ];
        for (text, expected) in cases {
            let body = to_bytes(twiml(text).into_body(), 1_000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(body.ends_with(expected), "{body}");
        }
    }
}
