//! The channel kind `console`: shows a page to whoever looks at the terminal.
//!
//! It always exists. Whether it carries all media and counts as reaching somebody is decided by
//! who builds it: only while no other channel is configured.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::channels::acknowledge_text;
use crate::channels::email::text;
use crate::channels::links::Links;
use crate::channels::message_text;
use crate::channels::outcome::provider_words;
use crate::channels::{
    BuildError, CancelToken, Cancelled, Channel, Kind, Parts, Pending, Probed, Provider, Sending,
    Sent, no_probe,
};
use crate::document::MapSchema;
use crate::document::section::Section;
use crate::engine::decision::{IncidentSummary, SendRequest};
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::page::PageKind;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use crate::text::one_line;

/// Columns of a page.
const WIDTH: usize = 76;

/// Incidents that a bundled page names.
const INCIDENTS_NAMED_MAX: usize = 50;

/// Where pages are written; shared, because a log may go to the same terminal.
pub type Screen = Arc<Mutex<dyn Write + Send>>;

/// What the console is beside the configured channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The only channel: carries every medium and counts as reaching people.
    Only,
    /// One of several: carries only what is addressed to it and never counts.
    Beside,
}

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "console",
    schema: MapSchema::new(
        "a channel of kind console",
        &["name", "kind", "concurrency", "depends_on"],
    ),
    concurrency: 32,
    read,
};

fn read(_: ChannelName, _: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    // Which role it has is known once all channels are read.
    Some(Arc::new(Role::Beside))
}

impl Provider for Role {
    fn info(&self) -> ChannelInfo {
        let media = match self {
            Self::Only => vec![
                Medium::Email,
                Medium::Sms,
                Medium::Slack,
                Medium::Webhook,
                Medium::Console,
            ],
            Self::Beside => vec![Medium::Console],
        };
        let capabilities = Capabilities {
            incidents_named_max: INCIDENTS_NAMED_MAX,
            ..Capabilities::default()
        };
        ChannelInfo {
            media,
            reaches_people: *self == Self::Only,
            ..ChannelInfo::new(ChannelName::CONSOLE.into(), Medium::Console, capabilities)
        }
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        let (screen, links) = (parts.screen.clone(), parts.links.clone());
        Ok(Arc::new(Console::new(screen, links)))
    }

    fn idle_connections(&self) -> Option<usize> {
        None
    }
}

/// The console channel.
pub struct Console {
    screen: Screen,
    /// One page at a time: a terminal that is held must hold one thread and not all of them.
    turn: Arc<Semaphore>,
    links: Links,
}

impl Console {
    /// A console that writes to this screen.
    pub fn new(screen: Screen, links: Links) -> Self {
        Self {
            screen,
            turn: Arc::new(Semaphore::new(1)),
            links,
        }
    }

    /// Writes when the screen is free.
    async fn write(
        &self,
        page: String,
        mark: CancelToken,
    ) -> Result<std::io::Result<()>, Cancelled> {
        let turn = self.turn.clone().acquire_owned().await;
        let screen = Arc::clone(&self.screen);
        let writing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
            mark.test()?;
            let written = screen.write_all(page.as_bytes());
            Ok(written.and_then(|()| screen.flush()))
        });
        writing.await.unwrap_or_else(|error| Ok(Err(error.into())))
    }
}

impl Channel for Console {
    /// Writing runs beside the other tasks: a terminal that is held must not hold the router.
    fn send<'a>(&'a self, order: &'a SendRequest, mark: &'a CancelToken) -> Sending<'a> {
        Box::pin(async move {
            let writing = self.write(compose(order, &self.links), mark.clone());
            let deadline = Duration::from_millis(order.deadline.0);
            Ok(match tokio::time::timeout(deadline, writing).await {
                Ok(written) => match written? {
                    Ok(()) => sent(Outcome::Delivered, None),
                    Err(error) => sent(Outcome::Transient, Some(error.to_string())),
                },
                Err(_) => sent(
                    Outcome::Unknown,
                    Some("the terminal output is paused".into()),
                ),
            })
        })
    }

    fn probe(&self) -> Pending<'_, Probed> {
        no_probe()
    }
}

fn sent(outcome: Outcome, words: Option<String>) -> Sent {
    Sent::new(outcome, words.and_then(|words| provider_words(&words, &[])))
}

/// The page as it stands on the screen. Only the left side has a rule, because nobody knows how
/// wide a terminal draws a character; the link stands on a line of its own and is never broken.
pub fn compose(order: &SendRequest, links: &Links) -> String {
    let message = &order.message;
    let mut lines = vec![addressee(order)];
    match message.single() {
        Some(brief) => single(&mut lines, order, brief),
        None => bundle(&mut lines, order),
    }
    if order.asks {
        lines.push(String::new());
        lines.push(format!(
            "Acknowledge: {}",
            acknowledge_text::command(message)
        ));
    }
    let edge = "─".repeat(WIDTH);
    let mut page = format!("\n┌{edge}\n");
    for line in lines.iter().flat_map(|line| wrapped(line)) {
        page.push_str(format!("│ {line}").trim_end());
        page.push('\n');
    }
    page.push_str(&format!("│ {}\n└{edge}\n", links.page(&message.token)));
    page
}

/// `PAGE for Ana Silva by sms to +351912345678`.
fn addressee(order: &SendRequest) -> String {
    let message = &order.message;
    let kind = match message.kind {
        PageKind::Page | PageKind::Bundle => "PAGE",
        PageKind::Update { .. } => "UPDATE",
        PageKind::Copy => "COPY",
    };
    let name = message.recipient_name.as_deref().map(one_line);
    let name = name.map(|name| format!(" for {name}")).unwrap_or_default();
    let way = match order.medium {
        Medium::Console => String::new(),
        Medium::Email | Medium::Sms | Medium::Slack | Medium::Webhook => {
            let address = one_line(&order.address);
            format!(" by {} to {address}", order.medium)
        }
    };
    format!("{kind}{name}{way}")
}

fn single(lines: &mut Vec<String>, order: &SendRequest, brief: &IncidentSummary) {
    lines.push(message_text::headline(brief));
    lines.extend(message_text::news(&order.message));
    lines.push(String::new());
    for (name, value) in text::facts(&order.message, brief) {
        lines.push(format!("{name:<9} {value}"));
    }
    let alerts = message_text::alert_lines(brief);
    lines.extend(alerts.iter().map(|line| format!("Alert     {line}")));
}

fn bundle(lines: &mut Vec<String>, order: &SendRequest) {
    let message = &order.message;
    lines.push(acknowledge_text::bundle_count(message));
    lines.push(String::new());
    lines.extend(message.incidents.iter().map(message_text::headline));
    lines.extend(text::bundle_rest(message));
}

/// The line in pieces of at most so many characters, broken at blanks where there are any.
fn wrapped(line: &str) -> Vec<String> {
    let room = WIDTH - 2;
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let length = word.chars().count();
        if used > 0 && used + length > room {
            pieces.push(String::new());
            used = 0;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(word);
        }
        used += length;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;

    fn shown(order: &SendRequest) -> (Sent, String) {
        let screen = Arc::new(Mutex::new(Vec::new()));
        let console = Console::new(Arc::clone(&screen) as Screen, sample::links());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let sent = runtime.block_on(sample::send(&console, order));
        let bytes = screen.lock().unwrap().clone();
        (sent, String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_page_is_shown_whole_with_the_command_and_the_link() {
        let mut order = sample::order(Medium::Sms);
        order.address = "+351912345678".into();
        let (sent, page) = shown(&order);
        let edge = "─".repeat(76);
        let link = sample::links().page(&order.message.token);
        assert_eq!(sent.outcome, Outcome::Delivered);
        assert_eq!(
            page,
            format!(
                "\n┌{edge}\n\
                 │ PAGE for Ana Silva by sms to +351912345678\n\
                 │ HIGH #1042 disk full on db1\n\
                 │\n\
                 │ Service   payments-api\n\
                 │ Since     Tue 12 May 03:10 WEST\n\
                 │ State     Triggered\n\
                 │ Why you   route payments-critical → policy payments, step 1 → schedule\n\
                 │ payments-primary\n\
                 │ Alert     disk full on db1 (critical, db1.example)\n\
                 │\n\
                 │ Acknowledge: reveille ack 1042\n\
                 │ {link}\n\
                 └{edge}\n"
            )
        );
    }

    #[test]
    fn a_title_cannot_steer_the_terminal() {
        let mut order = sample::order(Medium::Console);
        order.message.incidents[0].title = "\u{1b}[2J\u{9b}31m gone\r\n└ fake".into();
        let (_, page) = shown(&order);
        assert!(
            !page.contains('\u{1b}') && !page.contains('\u{9b}'),
            "{page}"
        );
        assert!(
            page.contains("│ HIGH #1042 [2J 31m gone └ fake\n"),
            "{page}"
        );
    }

    #[test]
    fn beside_real_channels_it_carries_only_its_own_and_never_counts() {
        let cases = [(Role::Only, 5, true), (Role::Beside, 1, false)];
        for (role, media, reaches) in cases {
            assert_eq!(role.info().media.len(), media);
            assert_eq!(role.info().reaches_people, reaches);
        }
    }

    #[test]
    fn a_bundled_page_lists_its_incidents() {
        let (_, page) = shown(&sample::bundle(Medium::Email, 3));
        assert!(page.contains("│ 3 incidents are open for you\n"), "{page}");
        assert!(page.contains("│ HIGH #1044 disk full on db3\n"), "{page}");
        assert!(page.contains("reveille ack 1042 1043 1044\n"), "{page}");
    }

    #[test]
    fn a_broken_screen_is_told_and_not_hidden() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let console = Console::new(Arc::new(Mutex::new(Broken)), sample::links());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let order = sample::order(Medium::Console);
        let sent = runtime.block_on(sample::send(&console, &order));
        assert_eq!(sent.outcome, Outcome::Transient);
    }
}
