//! What somebody who texts wants: `ack`, `ack 1042`, `ack all`, `resolve 1042`, and STOP.

/// What a text asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Acknowledge(Which),
    Resolve(u64),
    Stop,
    Start,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    TheOne,
    All,
    Number(u64),
}

pub fn parse(text: &str) -> Command {
    let quotes: &[char] = &['"', '\'', '“', '”', '.', '!'];
    let lower = text.trim().trim_matches(quotes).to_lowercase();
    let mut words = lower.split_whitespace();
    let (word, argument) = (words.next().unwrap_or(""), words.next());
    let number = argument.and_then(|text| text.trim_start_matches('#').parse::<u64>().ok());
    match (word, argument, number) {
        ("ack" | "acknowledge", None, _) => Command::Acknowledge(Which::TheOne),
        ("ack" | "acknowledge", Some("all"), _) => Command::Acknowledge(Which::All),
        ("ack" | "acknowledge", _, Some(number)) => Command::Acknowledge(Which::Number(number)),
        ("resolve", _, Some(number)) => Command::Resolve(number),
        (
            "stop" | "stopall" | "unsubscribe" | "end" | "quit" | "cancel" | "optout" | "revoke",
            None,
            _,
        ) => Command::Stop,
        ("start" | "unstop", None, _) => Command::Start,
        _ => Command::Other,
    }
}
