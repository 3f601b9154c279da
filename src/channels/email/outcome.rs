//! What a mail relay's answer means: the outcome table of SMTP.
//!
//! The same code means different things at different moments: a refusal after `MAIL FROM` is about
//! our sender and so about every page, after `RCPT TO` about one reader, after the text about this
//! text. Where two readings are possible, the one that tries more ways to reach the reader wins.
//!
//! Codes and enhanced codes are read first. Words decide only where these leave it open.

use std::error::Error;
use std::fmt::Display;

use super::stage::Stage;
use super::words::{
    enhanced, is_about_size, is_about_us, is_mailbox_full, own_words, says, speaks_of_policy,
};
use crate::channels::outcome;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// A relay's reply.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'text> {
    pub stage: Stage,
    pub code: u16,
    /// All its lines as one, without the code.
    pub text: &'text str,
}

/// Relays that limit our rate do not say for how long; most count by the minute.
const THROTTLED: Outcome = Outcome::Throttled {
    wait: Duration::minutes(1),
};

/// The outcome of a negative reply.
pub fn of_reply(reply: Reply<'_>) -> Outcome {
    match reply.code {
        400..=499 => limit(reply).unwrap_or(Outcome::Transient),
        500..=599 => limit(reply).unwrap_or_else(|| refused(reply)),
        _ => of_silence(reply.stage),
    }
}

/// The outcome of a conversation that broke off, or of an answer that could not be read.
pub fn of_break(stage: Stage, error: &(dyn Error + 'static)) -> Outcome {
    let tls = outcome::find(error).filter(|_| stage == Stage::Connect);
    tls.map_or_else(|| of_silence(stage), outcome::of_tls)
}

/// The outcome when the deadline passed at this stage.
pub fn of_silence(stage: Stage) -> Outcome {
    match stage {
        Stage::Connect | Stage::Login | Stage::Sender | Stage::Recipient => Outcome::Transient,
        Stage::Content => Outcome::Unknown,
    }
}

fn refused(reply: Reply<'_>) -> Outcome {
    let status = enhanced(reply.text);
    let is_about_login =
        matches!(reply.code, 530 | 534 | 535 | 538) || matches!(status, Some((7, 8 | 9 | 11 | 14)));
    let words = own_words(reply.text);
    if is_about_login || is_about_us(&words) {
        return Outcome::RefusedCredential;
    }
    if reply.stage == Stage::Sender && is_about_size(&words) {
        return Outcome::RefusedContent;
    }
    match reply.stage {
        Stage::Connect | Stage::Login | Stage::Sender => Outcome::RefusedCredential,
        Stage::Recipient => recipient_refused(reply, status),
        Stage::Content => content_refused(reply, status),
    }
}

/// The words of a reply to our greeting; where they refuse the name in it, with what to do.
pub fn about_greeting(code: Option<u16>, name: &impl Display, words: String) -> String {
    let is_refused = match code {
        Some(501 | 504) => true,
        Some(500..=599) => says(&own_words(&words), &["helo", "ehlo"]),
        Some(_) | None => false,
    };
    if !is_refused {
        return words;
    }
    format!("the relay does not accept the name {name} in our greeting; set hello: {words}")
}

fn recipient_refused(reply: Reply<'_>, status: Option<(u16, u16)>) -> Outcome {
    let words = own_words(reply.text);
    match status {
        Some((2, 2)) => Outcome::Transient,
        Some((2, 3) | (3, 4) | (5..=7, _)) => Outcome::RefusedContent,
        Some((3, _)) => Outcome::Transient,
        Some(_) => Outcome::RefusedTarget,
        None if is_mailbox_full(&words) || reply.code == 552 => Outcome::Transient,
        None if speaks_of_policy(&words) => Outcome::RefusedContent,
        None if matches!(reply.code, 550 | 551 | 553) => Outcome::RefusedTarget,
        None => Outcome::RefusedContent,
    }
}

fn content_refused(reply: Reply<'_>, status: Option<(u16, u16)>) -> Outcome {
    let words = own_words(reply.text);
    match status {
        Some((2, 2)) => Outcome::Transient,
        Some((1, _) | (2, 0 | 1)) => Outcome::RefusedTarget,
        Some(_) => Outcome::RefusedContent,
        None if is_mailbox_full(&words) => Outcome::Transient,
        None => Outcome::RefusedContent,
    }
}

/// The outcome of a limit of ours, not of the reader's mailbox: either nothing is left to send with
/// for long, or it was too much at once.
fn limit(reply: Reply<'_>) -> Option<Outcome> {
    let status = enhanced(reply.text);
    let can_be_limit = match status {
        // The address, the mailbox, the size of the text.
        Some((1 | 2 | 6, _) | (3, 4)) => false,
        // Of the protocol only "too many recipients".
        Some((5, detail)) => detail == 3,
        Some(_) | None => true,
    };
    let words = own_words(reply.text);
    if !can_be_limit || is_mailbox_full(&words) || is_about_size(&words) {
        return None;
    }
    let has_word = |word| {
        words
            .split(|letter: char| !letter.is_alphanumeric())
            .any(|it| it == word)
    };
    if says(
        &words,
        &["daily", "monthly", "per day", "per month", "24 hours"],
    ) {
        return Some(Outcome::QuotaExhausted);
    }
    const RATE: &[&str] = &[
        "too many",
        "too much mail",
        "throttl",
        "too fast",
        "too quickly",
        "slow down",
        "per hour",
        "per minute",
        "per second",
        "hourly",
    ];
    if says(&words, RATE) || has_word("rate") || has_word("ratelimited") {
        return Some(THROTTLED);
    }
    let is_spent = status == Some((4, 5))
        || says(
            &words,
            &["limit exceeded", "sending limit", "out of credit"],
        )
        || has_word("quota");
    is_spent.then_some(Outcome::QuotaExhausted)
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError;

    use super::*;

    #[test]
    fn each_reply_has_the_outcome_of_its_moment() {
        use Outcome::{
            QuotaExhausted, RefusedContent, RefusedCredential, RefusedTarget, Transient,
        };
        use Stage::{Connect, Content, Login, Recipient, Sender};
        let cases = [
            (Connect, 421, "closing", Transient),
            (Connect, 421, "4.7.0 Too many connections", THROTTLED),
            (Connect, 554, "5.7.1 no service for you", RefusedCredential),
            (
                Login,
                535,
                "5.7.8 bad username or password",
                RefusedCredential,
            ),
            (
                Login,
                454,
                "4.7.0 temporary authentication failure",
                Transient,
            ),
            (
                Sender,
                530,
                "5.7.0 must issue a STARTTLS command first",
                RefusedCredential,
            ),
            (
                Sender,
                553,
                "5.7.1 sender address rejected: not owned",
                RefusedCredential,
            ),
            (Sender, 451, "4.3.0 try again", Transient),
            (
                Sender,
                454,
                "Throttling failure: Daily message quota exceeded",
                QuotaExhausted,
            ),
            (
                Sender,
                454,
                "Throttling failure: Maximum sending rate exceeded",
                THROTTLED,
            ),
            (Recipient, 550, "5.1.1 no such user", RefusedTarget),
            (Recipient, 550, "#5.1.0 address rejected", RefusedTarget),
            (Recipient, 550, "no such user here", RefusedTarget),
            (Recipient, 553, "mailbox name not allowed", RefusedTarget),
            (Recipient, 550, "5.2.1 account disabled", RefusedTarget),
            (Recipient, 552, "5.2.2 mailbox full", Transient),
            (
                Recipient,
                550,
                "Mailbox quota exceeded for this user",
                Transient,
            ),
            (Recipient, 452, "4.2.2 the account is over quota", Transient),
            (
                Recipient,
                450,
                "4.2.1 receiving mail at a rate that",
                Transient,
            ),
            (
                Recipient,
                450,
                "4.7.1 greylisted, come back later",
                Transient,
            ),
            (
                Recipient,
                451,
                "4.7.1 too many messages per hour",
                THROTTLED,
            ),
            (
                Recipient,
                550,
                "5.4.5 Daily sending quota exceeded",
                QuotaExhausted,
            ),
            (
                Recipient,
                550,
                "5.7.1 too many messages, slow down",
                THROTTLED,
            ),
            (Recipient, 554, "5.7.1 relay access denied", RefusedContent),
            (Recipient, 550, "blocked using a blocklist", RefusedContent),
            (
                Recipient,
                530,
                "5.7.0 authentication required",
                RefusedCredential,
            ),
            (Recipient, 503, "5.5.1 bad sequence", RefusedContent),
            (
                Content,
                550,
                "5.7.1 message content rejected",
                RefusedContent,
            ),
            (Content, 554, "transaction failed", RefusedContent),
            (Content, 552, "5.3.4 message too big", RefusedContent),
            (Content, 550, "5.1.1 no such user", RefusedTarget),
            (Content, 451, "4.3.0 queue file write error", Transient),
            (Content, 550, "administrator prohibits", RefusedContent),
            (
                Recipient,
                450,
                "4.7.1 Error: too much mail from 192.0.2.1",
                THROTTLED,
            ),
            (
                Content,
                552,
                "5.3.4 Message size limit exceeded",
                RefusedContent,
            ),
            (Sender, 552, "Message size limit exceeded", RefusedContent),
            (
                Recipient,
                452,
                "4.5.3 Error: too many recipients",
                THROTTLED,
            ),
        ];
        for (stage, code, text, expected) in cases {
            let outcome = of_reply(Reply { stage, code, text });
            assert_eq!(outcome, expected, "{stage:?} {code} {text}");
        }
    }

    /// What relays were heard to answer, with their versions, each in a situation made for it.
    const HEARD: &str = include_str!("../../../tests/fixtures/relays/answers.json");

    #[test]
    fn what_postfix_exim_and_opensmtpd_really_answer_has_the_outcome_of_its_situation() {
        let heard: Vec<serde_json::Value> = serde_json::from_str(HEARD).unwrap();
        assert!(heard.len() > 60, "{}", heard.len());
        for answer in &heard {
            let stage = match answer["stage"].as_str().unwrap() {
                "connect" => Stage::Connect,
                "login" => Stage::Login,
                "sender" => Stage::Sender,
                "recipient" => Stage::Recipient,
                "content" => Stage::Content,
                other => panic!("{other} is no stage"),
            };
            let outcome = of_reply(Reply {
                stage,
                code: u16::try_from(answer["code"].as_u64().unwrap()).unwrap(),
                text: answer["text"].as_str().unwrap(),
            });
            assert_eq!(
                outcome.to_string(),
                answer["outcome"].as_str().unwrap(),
                "{answer}"
            );
        }
    }

    /// Names that would be taken for words of a limit, of a policy or of a full mailbox.
    const TELLING: &[&str] = &[
        "daily-ops@example.com",
        "rate@example.com",
        "quota.monthly@example.com",
        "too-many@spam.example",
        "mailbox.full@example.com",
        "sender@per-hour.example",
        "relay.policy@blocked.example",
        "\"slow down\"@example.com",
    ];

    #[test]
    fn the_names_in_a_reply_never_decide_what_it_means() {
        let replies = [
            (
                Stage::Sender,
                553,
                "5.7.1 <ADDRESS>: Sender address rejected: not owned by user",
            ),
            (
                Stage::Recipient,
                554,
                "5.7.1 <ADDRESS>: Relay access denied",
            ),
            (Stage::Recipient, 550, "Invalid recipient: <ADDRESS>"),
            (
                Stage::Recipient,
                550,
                "5.1.1 <ADDRESS>: Recipient address rejected: User unknown",
            ),
            (Stage::Recipient, 550, "No such user ADDRESS here"),
            (
                Stage::Recipient,
                550,
                "Unknown user (ADDRESS), see https://HOST/too-many?daily",
            ),
            (
                Stage::Recipient,
                450,
                "4.7.1 <ADDRESS>: Recipient address rejected: come back",
            ),
            (
                Stage::Recipient,
                450,
                "4.7.1 Error: too much mail from HOST",
            ),
            (
                Stage::Recipient,
                554,
                "5.7.1 <HOST[192.0.2.1]>: Client host rejected: denied",
            ),
            (
                Stage::Recipient,
                504,
                "5.5.2 <HOST>: Helo command rejected: need a full name",
            ),
            (
                Stage::Content,
                550,
                "Administrative prohibition for ADDRESS",
            ),
        ];
        for (stage, code, text) in replies {
            let outcome = |address: &str| {
                let host = address.rsplit('@').next().expect("a host");
                let text = text.replace("ADDRESS", address).replace("HOST", host);
                let text = text.as_str();
                of_reply(Reply { stage, code, text })
            };
            for address in TELLING {
                let expected = outcome("ana@example.com");
                assert_eq!(outcome(address), expected, "{code} {text} {address}");
            }
        }
    }

    #[test]
    fn a_refusal_of_the_sender_is_the_channels_even_where_it_comes_late() {
        for text in [
            "5.7.1 <reveille@example.com>: Sender address rejected: not owned by user ana",
            "5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
            "5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
            "Sender verify failed",
        ] {
            for stage in [Stage::Sender, Stage::Recipient, Stage::Content] {
                let reply = Reply {
                    stage,
                    code: 550,
                    text,
                };
                assert_eq!(of_reply(reply), Outcome::RefusedCredential, "{text}");
            }
        }
    }

    #[test]
    fn a_broken_conversation_is_unknown_only_after_the_text_was_handed_over() {
        let cut = io::Error::from(io::ErrorKind::ConnectionReset);
        for (stage, expected) in [
            (Stage::Connect, Outcome::Transient),
            (Stage::Login, Outcome::Transient),
            (Stage::Sender, Outcome::Transient),
            (Stage::Recipient, Outcome::Transient),
            (Stage::Content, Outcome::Unknown),
        ] {
            assert_eq!(of_break(stage, &cut), expected, "{stage:?}");
            assert_eq!(of_silence(stage), expected, "{stage:?}");
        }
    }

    #[test]
    fn a_certificate_for_another_name_is_told_from_other_trouble_of_tls() {
        let cases = [
            (CertificateError::NotValidForName, Outcome::TlsNameMismatch),
            (CertificateError::Expired, Outcome::TlsOther),
            (CertificateError::UnknownIssuer, Outcome::TlsOther),
        ];
        for (cause, expected) in cases {
            let error = io::Error::new(
                io::ErrorKind::InvalidData,
                rustls::Error::InvalidCertificate(cause),
            );
            assert_eq!(of_break(Stage::Connect, &error), expected);
            assert_eq!(of_break(Stage::Content, &error), Outcome::Unknown);
        }
    }

    #[test]
    fn no_reply_whatsoever_is_permanent_when_it_cannot_be_understood() {
        for code in (0..400).chain(600..1_000) {
            for (stage, expected) in [
                (Stage::Recipient, Outcome::Transient),
                (Stage::Content, Outcome::Unknown),
            ] {
                let text = "?";
                assert_eq!(of_reply(Reply { stage, code, text }), expected);
            }
        }
    }
}
