//! Replies that a text gateway hands in: shown with a key, and found where the settings point.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::channels::inbound::{
    Answer, Denial, Endpoint, Head, Inbound, Origin, Posted, Refusal, Reply, Verdict,
};
use crate::engine::event::Text;
use crate::engine::time::Timestamp;
use crate::signing;
use crate::text::{hash, hex};

use super::scalar;
use super::settings::{Confirm, Settings};

impl Inbound for Settings {
    fn takes(&self, endpoint: Endpoint) -> bool {
        endpoint == Endpoint::Replies
    }

    fn verify(&self, head: &Head, _: Option<&[u8]>) -> Result<Verdict, Refusal> {
        let help = "send inbound_key as `Authorization: Bearer …` or as ?key=".to_owned();
        let given = signing::secret_of(head.header("authorization")).or_else(|| head.query("key"));
        let (origin, denial) = match given {
            Some(given) if self.is_inbound_key(&given) => return Ok(Verdict::Genuine),
            Some(_) => (Origin::LikelyProvider, Denial::WrongKey(help)),
            None => (Origin::Unknown, Denial::Unauthorized(help)),
        };
        Err(Refusal {
            what: "a reply through the gateway",
            cause: "it does not include inbound_key".to_owned(),
            origin,
            denial,
        })
    }

    fn read(&self, head: &Head, body: &[u8]) -> Result<Posted, String> {
        let root: Value = serde_json::from_slice(body)
            .map_err(|error| format!("the body is not JSON: {error}"))?;
        let pointers = &self.inbound;
        let message_id = match &pointers.message_id {
            Some(pointer) => pointed(&root, "inbound.message_id", pointer)?,
            None => made_up_id(body, head.now),
        };
        Ok(Posted::Reply(Reply {
            from: pointed(&root, "inbound.from", &pointers.from)?,
            text: pointed(&root, "inbound.text", &pointers.text)?,
            message_id,
        }))
    }

    fn answer(&self, told: Option<&str>) -> Answer {
        Answer {
            content_type: "application/json",
            body: json!({ "reply": told }).to_string(),
        }
    }

    fn confirms_by_message(&self) -> bool {
        self.inbound.confirm == Confirm::Sms
    }
}

impl Settings {
    fn is_inbound_key(&self, given: &str) -> bool {
        let key = self.inbound_key.as_ref();
        let key = key.map_or("", ExposeSecret::expose_secret);
        // Hashes are compared, so that time tells nothing about the key.
        !key.is_empty() && hash::sha256(given) == hash::sha256(key)
    }
}

/// An id for a gateway that gives none: the same message within the same minute is one.
fn made_up_id(body: &[u8], now: Timestamp) -> Text {
    let minute = now.0.div_euclid(60_000);
    let hash = hex::encode(&hash::sha256(body));
    format!("{minute}-{hash}").into()
}

/// Text or a number at a pointer.
fn pointed(root: &Value, setting: &str, pointer: &str) -> Result<Text, String> {
    let text = root.pointer(pointer).and_then(scalar).map(Text::from);
    text.ok_or_else(|| format!("no text at {pointer}; {setting} of the settings names it"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::settings;
    use super::*;

    fn verify(key: &str, header: Option<&str>, path: &str) -> Result<Verdict, Refusal> {
        let replies = Settings {
            inbound_key: Some(key.into()),
            ..settings(String::new())
        };
        let header = header.map(|value| ("authorization".to_owned(), value.to_owned()));
        let head = Head {
            endpoint: Endpoint::Replies,
            headers: BTreeMap::from_iter(header),
            url: format!("https://pager.example.com{path}"),
            now: Timestamp(0),
        };
        replies.verify(&head, None)
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
        for (header, path, expected) in cases {
            let found = verify("k", header, path).is_ok();
            assert_eq!(found, expected, "{header:?} {path}");
        }
        let unset = verify("", None, "/sms/b/inbound?key=");
        assert!(unset.is_err(), "no key set opens nothing");
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
}
