//! What holds for the texts of all media: what others wrote steers no reader's screen.

use super::email::{html, text as plain};
use super::{console, sample, sms_text};
use crate::engine::decision::SendRequest;
use crate::engine::ruleset::Medium;
use crate::text;

/// A request in which all that a sender chooses holds what steers a screen.
pub fn hostile(medium: Medium) -> SendRequest {
    let evil = "x\r\ny\u{1b}[31m\u{0}\u{85}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}z";
    order_of(medium, evil)
}

/// A request in which all that a sender chooses is this text.
pub fn order_of(medium: Medium, evil: &str) -> SendRequest {
    let mut order = sample::order(medium);
    order.message.why.route = evil.into();
    let brief = &mut order.message.incidents[0];
    brief.title = evil.into();
    brief.opened_with = evil.into();
    brief.service = Some(evil.into());
    brief.group_labels = [(evil, evil)].into_iter().collect();
    let alert = &mut brief.alerts[0];
    alert.summary = evil.into();
    sample::content(alert).severity = evil.into();
    sample::content(alert).source = Some(evil.into());
    sample::content(alert).labels = [(evil, evil)].into_iter().collect();
    let details = serde_json::json!({ evil: evil });
    sample::content(alert).details = Some(details.to_string().into());
    sample::content(alert).links = vec![sample::link("https://x.example/", Some(evil))];
    order
}

/// Whether nothing of a hostile order is left that steers: line breaks are only our own.
pub fn is_harmless(text: &str) -> bool {
    text.contains("x y") && !text.contains("x\ny") && !text.contains(is_steering)
}

/// What moves a cursor or turns text around, beside the line breaks between our own lines.
pub fn is_steering(letter: char) -> bool {
    letter != '\n' && text::is_unwanted(letter)
}

#[test]
fn what_others_wrote_steers_no_screen_in_any_medium() {
    let links = sample::links();
    let mail = hostile(Medium::Email);
    let texts = [
        ("subject", plain::subject(&mail.message)),
        ("mail as text", plain::compose(&mail, &links)),
        ("mail as HTML", html::compose(&mail, &links)),
        ("SMS", sms_text::compose(&hostile(Medium::Sms), &links)),
        (
            "console",
            console::compose(&hostile(Medium::Console), &links),
        ),
    ];
    for (name, text) in texts {
        assert!(is_harmless(&text), "{name}: {text:?}");
    }
}
