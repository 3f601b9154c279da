//! The ids that make mail about one incident one thread, and one page one mail.
//!
//! A page keeps its id over all its attempts, so that a reader's mail program shows it once even
//! if it arrives twice. The time at which the incident opened is part of every id: page numbers
//! begin anew with a new store, and a mail program silently drops a mail whose id it has seen.

use std::time::{Duration, SystemTime};

use crate::engine::decision::{Message, SendRequest, ThreadRef};
use crate::engine::time::Timestamp;

/// Ids of one mail, with their angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub message_id: String,
    /// The root of the incident's thread, which no mail ever has; none for a bundled page.
    pub root: Option<String>,
    /// The root and the earlier mail, for `References`.
    pub references: Option<String>,
}

impl Thread {
    /// The ids of the mail for this request, under a host that [`host_for_ids`] has checked.
    pub fn of(order: &SendRequest, host: &str) -> Self {
        let root = root(&order.message, host);
        let earlier = order.thread.as_ref().and_then(earlier_id);
        let references = root.as_ref().map(|root| match earlier {
            Some(earlier) => format!("{root} {earlier}"),
            None => root.clone(),
        });
        Self {
            message_id: message_id(order, host),
            root,
            references,
        }
    }
}

/// Every page record, an update's too, tells one thing once, so its number is enough.
fn message_id(order: &SendRequest, host: &str) -> String {
    let page = order.page;
    match order.message.incidents.first() {
        Some(brief) => format!("<page-{page}.{}@{host}>", brief.opened_at.0),
        None => format!("<page-{page}@{host}>"),
    }
}

fn root(message: &Message, host: &str) -> Option<String> {
    let brief = message.single()?;
    Some(format!(
        "<incident-{}-{}.{}@{host}>",
        brief.incident.number, brief.incident.generation, brief.opened_at.0
    ))
}

/// The id of the mail under which this one goes, if it looks like one.
fn earlier_id(thread: &ThreadRef) -> Option<&str> {
    let (ThreadRef::Thread(id) | ThreadRef::Edit(id)) = thread;
    let inner = id.strip_prefix('<')?.strip_suffix('>')?;
    let is_id = inner
        .chars()
        .all(|letter| letter.is_ascii_graphic() && !matches!(letter, '<' | '>'));
    is_id.then_some(id)
}

/// A host name that may stand in an id; one that may not becomes a name that never resolves.
pub fn host_for_ids(host: &str) -> String {
    let is_name = !host.is_empty()
        && host
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'));
    if is_name {
        host.to_ascii_lowercase()
    } else {
        "reveille.invalid".to_owned()
    }
}

/// For the `Date`: moments that no mail can name become the nearest that it can.
pub fn date(written_at: Timestamp) -> SystemTime {
    let last = Duration::from_secs(253_402_300_799);
    let since = Duration::from_millis(u64::try_from(written_at.0).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since.min(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::ids::AttemptId;
    use crate::engine::page::UpdateKind;
    use crate::engine::ruleset::Medium;

    const HOST: &str = "pager.example.com";

    #[test]
    fn a_page_keeps_its_id_over_its_attempts() {
        let first = sample::order(Medium::Email);
        let mut again = first.clone();
        again.attempt = AttemptId(99);
        again.message.incidents[0].alerts_total = 7;
        let id = Thread::of(&first, HOST).message_id;
        assert_eq!(id, "<page-17.1778551800000@pager.example.com>");
        assert_eq!(Thread::of(&again, HOST).message_id, id);
    }

    #[test]
    fn mails_about_one_incident_stand_under_one_root() {
        let mut update = sample::update(Medium::Email, UpdateKind::Resolved, sample::resolved());
        update.thread = Some(ThreadRef::Thread("<page-17.1@pager.example.com>".into()));
        let thread = Thread::of(&update, HOST);
        let root = "<incident-1042-1.1778551800000@pager.example.com>";
        assert_eq!(thread.root.as_deref(), Some(root));
        assert_eq!(
            thread.references.as_deref(),
            Some(&*format!("{root} <page-17.1@pager.example.com>"))
        );
        let bundle = Thread::of(&sample::bundle(Medium::Email, 2), HOST);
        assert_eq!((bundle.root, bundle.references), (None, None));
    }

    #[test]
    fn nothing_that_is_not_an_id_gets_into_the_references() {
        for text in ["C024:1503435956", "<a\r\nBcc: x@y>", "<a> <b>", ""] {
            let mut order = sample::order(Medium::Email);
            order.thread = Some(ThreadRef::Thread(text.into()));
            let thread = Thread::of(&order, HOST);
            assert_eq!(thread.references, thread.root, "{text}");
        }
        assert_eq!(host_for_ids("Pager.Example.com"), HOST);
        assert_eq!(host_for_ids("a b\r\n"), "reveille.invalid");
    }
}
