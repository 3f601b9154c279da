//! The ways by which messages leave: mails through a relay of a channel, signed calls of web
//! addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::subscriber::SubscriberId;
use crate::channels::bulk_mail::{BulkMail, BulkMailer};
use crate::channels::http::{Answer, Auth, Http, Method, Reach, Request};
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::time::{Duration, Timestamp};
use crate::signing::hmac_sha256;
use crate::signing::standard_webhooks::{self, Secret};
use crate::text::{base64, truncate};

/// For one call of a web address.
const CALL_DEADLINE: Duration = Duration::seconds(15);

/// Characters of an answer that are kept.
const ANSWER_CHARACTERS: usize = 200;

/// Keeps this use of the secret apart from any other.
const WEBHOOK_PURPOSE: &[u8] = b"reveille-subscriber-webhook-1";

/// A message that is ready to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parcel {
    Mail {
        channel: ChannelName,
        mail: BulkMail,
    },
    Webhook {
        url: String,
        subscriber: SubscriberId,
        /// The same over all attempts.
        id: String,
        body: Vec<u8>,
    },
}

/// What came of an attempt, in the other side's words, which may hold an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelSent {
    pub outcome: Outcome,
    pub words: String,
}

/// What hands messages over.
#[derive(Clone)]
pub struct Couriers {
    pub mailers: BTreeMap<ChannelName, Arc<dyn BulkMailer>>,
    pub http: Arc<Http>,
    /// The secrets of webhooks are made of it.
    pub secret: [u8; 32],
}

/// The secret with which calls of a subscriber's web address are signed: `whsec_…`. Each has its
/// own, so that one of them cannot speak for us to another.
pub fn webhook_secret(secret: &[u8; 32], subscriber: SubscriberId) -> String {
    let bytes = hmac_sha256(secret, &[WEBHOOK_PURPOSE, &subscriber.0.to_be_bytes()]);
    format!("whsec_{}", base64::encode(&bytes))
}

impl Couriers {
    /// Makes one attempt.
    pub async fn send(&self, parcel: &Parcel, now: Timestamp) -> ParcelSent {
        match parcel {
            Parcel::Mail { channel, mail } => {
                let Some(mailer) = self.mailers.get(channel) else {
                    let words = format!("no channel {channel} that carries e-mail");
                    let outcome = Outcome::RefusedCredential;
                    return ParcelSent { outcome, words };
                };
                let sent = mailer.send(mail).await;
                ParcelSent {
                    outcome: sent.outcome,
                    words: sent.provider_message.unwrap_or_default(),
                }
            }
            Parcel::Webhook {
                url,
                subscriber,
                id,
                body,
            } => {
                let secret = webhook_secret(&self.secret, *subscriber);
                self.call(url, &secret, (id, body), now).await
            }
        }
    }

    async fn call(
        &self,
        url: &str,
        secret: &str,
        (id, body): (&str, &[u8]),
        now: Timestamp,
    ) -> ParcelSent {
        let secret = Secret::parse(secret).expect("it was made as one");
        let timestamp = now.0.div_euclid(1_000).to_string();
        let signature = standard_webhooks::sign(&[secret], id, &timestamp, body);
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let request = Request {
            method: Method::POST,
            url,
            reach: Reach::Guarded,
            auth: Auth::None,
            headers: headers.map(owned).to_vec(),
            body: body.to_vec(),
            deadline: CALL_DEADLINE,
        };
        match self.http.call(request).await {
            Ok(answer) => ParcelSent {
                outcome: of_answer(&answer),
                words: truncate(
                    &format!("{} {}", answer.status, answer.text()),
                    ANSWER_CHARACTERS,
                ),
            },
            Err(fault) => ParcelSent {
                // A second call under the same id is harmless, whatever became of the first.
                outcome: Outcome::Transient,
                words: fault.to_string(),
            },
        }
    }
}

/// Only `410 Gone` says that nobody is there any more; everything else may be a mistake that
/// somebody mends.
fn of_answer(answer: &Answer) -> Outcome {
    match (answer.status, answer.retry_after) {
        (200..=299, _) => Outcome::Delivered,
        (410, _) => Outcome::RefusedTarget,
        (429 | 503, Some(wait)) => Outcome::Throttled { wait },
        _ => Outcome::Transient,
    }
}
