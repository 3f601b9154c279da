//! What is left in the account with a provider.

use serde_json::Value;

use super::Sent;
use crate::engine::outcome::{Capacity, Outcome};
use crate::text::{one_line, truncate};

/// What is shown of an amount and of a currency.
const SHOWN_CHARACTERS_MAX: usize = 24;

/// Judges what the provider answered; a refusal says that it does not tell, and not only for the
/// moment.
pub fn of(sent: &Sent, amount: Option<&Value>, currency: &str, least: f64) -> Capacity {
    match sent.outcome {
        Outcome::Delivered | Outcome::Accepted => judge(amount, currency, least),
        Outcome::Throttled { .. } | Outcome::Transient | Outcome::Unknown => Capacity::Unread,
        Outcome::RefusedTarget
        | Outcome::RefusedContent
        | Outcome::RefusedCredential
        | Outcome::TlsNameMismatch
        | Outcome::TlsOther
        | Outcome::QuotaExhausted => {
            let words = sent.provider_message.as_deref().unwrap_or_default();
            low(format!("its balance cannot be read ({words})"))
        }
    }
}

/// An amount as the provider wrote it: a number, or a number as text.
fn judge(amount: Option<&Value>, currency: &str, least: f64) -> Capacity {
    match amount.and_then(|amount| Some((amount, read(amount)?))) {
        Some((_, number)) if number >= least => Capacity::Enough,
        Some((amount, _)) => {
            let left = format!("{} {}", shown(amount), short(currency));
            let left = left.trim_end();
            low(format!(
                "its account has {left} left, less than balance_min ({least})"
            ))
        }
        None => low("its balance cannot be parsed".to_owned()),
    }
}

/// As it was given: rounded it could look like enough.
fn shown(amount: &Value) -> String {
    match amount.as_str() {
        Some(text) => short(text),
        None => short(&amount.to_string()),
    }
}

fn short(text: &str) -> String {
    truncate(one_line(text).trim(), SHOWN_CHARACTERS_MAX)
}

fn read(amount: &Value) -> Option<f64> {
    let number = match amount.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => amount.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

fn low(text: String) -> Capacity {
    Capacity::Low { text: text.into() }
}
