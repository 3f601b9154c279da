//! What is open, and how to acknowledge it, in words that fit the medium.

use super::links::Links;
use crate::engine::decision::{Message, SendRequest};
use crate::engine::page::Recipient;
use crate::engine::ruleset::Medium;
use crate::text::listed;

/// Numbers that a summary or a command lists before it stops.
const NUMBERS_LISTED: usize = 10;

/// `12 incidents are open for you`.
pub fn bundle_count(message: &Message) -> String {
    let for_you = match &message.recipient {
        Recipient::User { .. } => " for you",
        Recipient::Channel { .. } => "",
    };
    match message.incidents_total {
        1 => format!("1 incident is open{for_you}"),
        total => format!("{total} incidents are open{for_you}"),
    }
}

/// `12 incidents are open for you: #1042, #1043 and 10 more`.
pub fn bundle_summary(message: &Message) -> String {
    let numbers: Vec<String> = message
        .incidents
        .iter()
        .take(NUMBERS_LISTED)
        .map(|brief| format!("#{}", brief.incident.number))
        .collect();
    let numbers = listed(&numbers, ", ", message.incidents_total);
    format!("{}: {numbers}", bundle_count(message))
}

/// The command that acknowledges what a message shows.
pub fn command(message: &Message) -> String {
    if message.incidents_total > NUMBERS_LISTED {
        return "reveille ack --mine".to_owned();
    }
    let numbers = message.incidents.iter();
    let numbers: Vec<String> = numbers
        .map(|brief| brief.incident.number.to_string())
        .collect();
    format!("reveille ack {}", numbers.join(" "))
}

/// How to acknowledge, as one sentence for the request's medium; `None` when it does not ask.
pub fn how_to_acknowledge(order: &SendRequest, links: &Links) -> Option<String> {
    if !order.asks {
        return None;
    }
    let command = command(&order.message);
    Some(match (order.medium, links.is_local()) {
        (Medium::Sms, _) => {
            sms_reply(&order.message).unwrap_or_else(|| "Acknowledge with the link".to_owned())
        }
        (Medium::Slack, false) => format!("Press the button, or run `{command}`."),
        (Medium::Slack, true) => format!("Run `{command}`."),
        (Medium::Email | Medium::Webhook | Medium::Console, false) => {
            format!("Open the link, or run `{command}`.")
        }
        (Medium::Email | Medium::Webhook | Medium::Console, true) => {
            format!("Run `{command}`. The link works only on the machine that runs Reveille.")
        }
    })
}

/// `Reply: ack 1042`; only a person's own number can reply.
pub fn sms_reply(message: &Message) -> Option<String> {
    message.recipient.user()?;
    match (message.incidents_total, message.incidents.first()) {
        (1, Some(brief)) => Some(format!("Reply: ack {}", brief.incident.number)),
        _ => Some("Reply: ack all".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::page::UpdateKind;

    #[test]
    fn a_bundled_page_counts_and_lists_the_first_numbers() {
        let message = sample::bundle(Medium::Email, 12).message;
        assert_eq!(
            bundle_summary(&message),
            "12 incidents are open for you: #1042, #1043, #1044, #1045, #1046, #1047, #1048, \
             #1049, #1050, #1051 and 2 more"
        );
        let two = sample::bundle(Medium::Email, 2).message;
        assert_eq!(
            bundle_summary(&two),
            "2 incidents are open for you: #1042, #1043"
        );
    }

    #[test]
    fn each_medium_says_how_to_acknowledge_and_a_local_link_is_not_promised() {
        let public = sample::links();
        let local = Links::new("http://127.0.0.1:8080", [0; 32]);
        let cases = [
            (
                Medium::Email,
                &public,
                "Open the link, or run `reveille ack 1042`.",
            ),
            (
                Medium::Email,
                &local,
                "Run `reveille ack 1042`. The link works only on the machine that runs Reveille.",
            ),
            (
                Medium::Slack,
                &public,
                "Press the button, or run `reveille ack 1042`.",
            ),
            (Medium::Slack, &local, "Run `reveille ack 1042`."),
            (Medium::Sms, &public, "Reply: ack 1042"),
        ];
        for (medium, links, expected) in cases {
            let said = how_to_acknowledge(&sample::order(medium), links);
            assert_eq!(said.as_deref(), Some(expected));
        }
        let notice = sample::update(Medium::Email, UpdateKind::Resolved, sample::resolved());
        assert_eq!(how_to_acknowledge(&notice, &public), None);
    }

    #[test]
    fn a_bundled_page_is_acknowledged_as_a_whole() {
        let cases = [(2, "reveille ack 1042 1043"), (11, "reveille ack --mine")];
        for (count, expected) in cases {
            let message = sample::bundle(Medium::Sms, count).message;
            assert_eq!(command(&message), expected);
            assert_eq!(sms_reply(&message).as_deref(), Some("Reply: ack all"));
        }
    }
}
