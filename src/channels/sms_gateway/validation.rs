//! With which settings a gateway cannot work.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::settings::{JSON, Settings};
use crate::channels::template::{Template, Values};
use crate::channels::{check, http};

/// A text with all that a template must not let through unescaped.
const NASTY_TEXT: &str = "\"quoted\" \\ 100% & <b>\nnext=1";

/// The template of the bodies, if all settings are good.
pub fn check(settings: &Settings) -> Result<Template, check::Error> {
    let name = &settings.name;
    check::url(name, "url", &settings.url)?;
    for (header, value) in &settings.headers {
        http::check_header(header, value.expose_secret())
            .map_err(|fault| check::Error::new(name, "headers", fault.to_string()))?;
    }
    if let Some(balance) = &settings.balance {
        check_balance_url(settings, &balance.url)?;
    }
    let body = Template::parse(&settings.body)
        .map_err(|error| check::Error::new(name, "body", error.to_string()))?;
    check_escaping(settings, &body)?;
    Ok(body)
}

/// The headers hold keys, which go to the gateway and to nobody else.
fn check_balance_url(settings: &Settings, balance_url: &str) -> Result<(), check::Error> {
    let name = &settings.name;
    check::url(name, "balance_url", balance_url)?;
    let origin = |url| http::parse_url(url).map(|url| url.origin());
    if origin(balance_url) != origin(&settings.url) {
        let help = "is on another server than url; give an address with the same scheme, host and \
                    port";
        return Err(check::Error::new(name, "balance_url", help));
    }
    Ok(())
}

/// Renders the body with a nasty text: a template that forgets to escape would otherwise work
/// until the first alert with a quotation mark in it.
fn check_escaping(settings: &Settings, body: &Template) -> Result<(), check::Error> {
    let error = |problem: &str| check::Error::new(&settings.name, "body", problem);
    let values = Values {
        to: "+351912345678",
        text: NASTY_TEXT,
        page_id: 17,
    };
    let rendered = body
        .render(&values)
        .map_err(|problem| error(&problem.to_string()))?;
    let kind = settings.content_type().unwrap_or(JSON).to_ascii_lowercase();
    if rendered.is_empty() {
        return Ok(());
    }
    if kind.contains("json") && serde_json::from_str::<Value>(&rendered).is_err() {
        return Err(error(
            "gives invalid JSON when the text contains quotation marks; write {{ text | tojson \
             }}, without quotation marks around it",
        ));
    }
    let unescaped = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '<');
    if kind.contains("x-www-form-urlencoded") && rendered.trim_end().contains(unescaped) {
        return Err(error("gives no valid form; write {{ text | urlencode }}"));
    }
    Ok(())
}
