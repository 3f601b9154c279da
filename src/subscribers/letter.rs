//! What a subscriber is told: mails made of the published page and of nothing else, and the
//! addresses in them.

use askama::Template;

use super::phrases::{self, SubscriberPhrases};
use super::subscriber::{Subscriber, SubscriberId};
use crate::channels::bulk_mail::BulkMail;
use crate::engine::time::Timestamp;
use crate::signing::subscription::{self, LinkAct};
use crate::status_page::escape::xml;
use crate::status_page::phrases::{fill, phrases as page_phrases};
use crate::status_page::view::{PostView, StatusPageView};
use crate::status_page::{addresses, markdown, overall, time_text};
use crate::text::one_line;

/// Where the forms are beneath the address of a page.
pub const SUBSCRIBE: &str = "/subscribe";
pub const CONFIRM: &str = "/subscribe/confirm";
pub const UNSUBSCRIBE: &str = "/unsubscribe";

/// Makes the addresses that only the reader of a mail knows.
#[derive(Clone)]
pub struct SubscriberLinks {
    secret: [u8; 32],
}

impl SubscriberLinks {
    /// Links that are signed with this installation's secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The address that shows the button to confirm, good until then.
    pub fn confirm(&self, url: &str, id: SubscriberId, until: Timestamp) -> String {
        let token = subscription::make(&self.secret, LinkAct::Confirm, id.0, until);
        format!("{url}{CONFIRM}?t={token}")
    }

    /// The address that ends the subscription; it is good for ever.
    pub fn unsubscribe(&self, url: &str, id: SubscriberId) -> String {
        let for_ever = Timestamp(i64::MAX);
        let token = subscription::make(&self.secret, LinkAct::Unsubscribe, id.0, for_ever);
        format!("{url}{UNSUBSCRIBE}?t={token}")
    }

    /// Whom a link is about, if it is good now.
    pub fn read(&self, act: LinkAct, token: &str, now: Timestamp) -> Option<SubscriberId> {
        let id = subscription::read(&self.secret, act, token, now);
        id.ok().map(SubscriberId)
    }
}

#[derive(Template)]
#[template(path = "mail.html", config = "src/subscribers/askama.toml")]
struct MailBody<'mail> {
    language: &'static str,
    site: &'mail str,
    title: &'mail str,
    state: Option<&'static str>,
    affects: Option<String>,
    /// Safe HTML.
    body: String,
    link: &'mail str,
    button: &'static str,
    note: &'mail str,
    unsubscribe: Option<&'mail str>,
    unsubscribe_title: &'static str,
}

impl MailBody<'_> {
    fn html(&self) -> String {
        self.render().expect("texts alone cannot fail to render")
    }
}

/// The mail that asks whether the address is the reader's.
pub fn confirmation(
    view: &StatusPageView,
    subscriber: &Subscriber,
    address: &str,
    link: &str,
    now: Timestamp,
) -> BulkMail {
    let words = phrases::of(&view.language);
    let (site, id) = (one_line(&view.title), subscriber.id.0);
    let subject = fill(words.confirm_subject, &site);
    let text = fill(words.confirm_text, &site);
    let html = MailBody {
        language: page_phrases(&view.language).tag,
        site: &site,
        title: &subject,
        state: None,
        affects: None,
        body: format!("<p>{}</p>", xml(&text)),
        link,
        button: words.confirm_button,
        note: words.confirm_ignore,
        unsubscribe: None,
        unsubscribe_title: words.unsubscribe_title,
    };
    BulkMail {
        to: address.to_owned(),
        html: html.html(),
        text: format!(
            "{text}\n\n{}:\n{link}\n\n{}\n",
            words.confirm_button, words.confirm_ignore
        ),
        subject,
        key: format!("confirm-{id}-{}.{}", subscriber.created_at.0, view.id),
        written_at: now,
        list: view.id.to_string(),
        unsubscribe: None,
    }
}

/// The mail that tells the newest update of a post.
pub fn update(
    view: &StatusPageView,
    post: &PostView,
    (address, id): (&str, SubscriberId),
    unsubscribe: &str,
) -> BulkMail {
    let words = phrases::of(&view.language);
    let page_words = page_phrases(&view.language);
    let newest = post.updates.first().expect("a post has an update");
    let (site, title) = (one_line(&view.title), one_line(&post.title));
    let state = page_words.post(newest.state);
    let names = overall::names(view, &post.components);
    let affects = (!names.is_empty()).then(|| fill(page_words.posts.affects, &names.join(", ")));
    let window = post.scheduled_for.zip(post.scheduled_until);
    let window = window.map(|(from, until)| {
        let from = time_text::moment(from, page_words);
        format!("{from} – {}", time_text::moment(until, page_words))
    });
    let facts: Vec<String> = affects.into_iter().chain(window).collect();
    let link = format!("{}{}", view.url, addresses::post(&post.id));
    let note = fill(words.why, &site);
    let html = MailBody {
        language: page_words.tag,
        site: &site,
        title: &title,
        state: Some(state),
        affects: (!facts.is_empty()).then(|| facts.join(" · ")),
        body: markdown::html(&newest.text),
        link: &link,
        button: words.read_more,
        note: &note,
        unsubscribe: Some(unsubscribe),
        unsubscribe_title: words.unsubscribe_title,
    };
    BulkMail {
        to: address.to_owned(),
        subject: format!("[{site}] {state}: {title}"),
        html: html.html(),
        text: plain_text(
            words,
            [&title, state, &markdown::plain(&newest.text)],
            &facts,
            [&link, &note, unsubscribe],
        ),
        key: format!("{}-{}-{}.{}", post.id, newest.id, id.0, view.id),
        written_at: newest.at,
        list: view.id.to_string(),
        unsubscribe: Some(unsubscribe.to_owned()),
    }
}

fn plain_text(
    words: &SubscriberPhrases,
    [title, state, text]: [&str; 3],
    facts: &[String],
    [link, note, unsubscribe]: [&str; 3],
) -> String {
    let facts: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
    format!(
        "{title}\n{state}\n{facts}\n{text}\n\n{}: {link}\n\n--\n{note}\n{}: {unsubscribe}\n",
        words.read_more, words.unsubscribe_title
    )
}
