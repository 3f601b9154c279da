//! What is left in the account with a provider.

use serde_json::Value;

use super::wording;
use crate::engine::outcome::Capacity;

/// Judges an amount as the provider wrote it: a number, or a number as text.
pub fn judge(amount: Option<&Value>, currency: &str, least: f64) -> Capacity {
    match amount.and_then(read) {
        Some(amount) if amount >= least => Capacity::Enough,
        Some(amount) => {
            let currency = wording::one_line(currency);
            let amount = format!("{amount:.2} {currency}");
            let amount = amount.trim_end();
            low(format!(
                "its account has {amount} left, less than balance_min ({least})"
            ))
        }
        None => low("its balance cannot be understood".to_owned()),
    }
}

/// The provider does not tell, and not only for the moment.
pub fn refused(words: &str) -> Capacity {
    low(format!("its balance may not be read ({words})"))
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
