//! The posts of a page as RSS 2.0, Atom and JSON Feed.
//!
//! One item is one post with all its updates, known for ever by the address of the post. The
//! newest update comes first in it, and begins with its state.

use serde_json::json;
use std::cmp::Reverse;

use crate::text::one_line;

use super::escape::xml;
use super::phrases::{Phrases, phrases};
use super::time_text::{mail_date, moment, seconds};
use super::view::{PostView, StatusPageView};
use super::{addresses, markdown, overall};

/// Items that a feed has at most, those that changed last.
const ITEMS_MAX: usize = 50;

/// A post in every feed.
struct FeedEntry<'view> {
    post: &'view PostView,
    address: String,
    title: String,
    html: String,
    components: Vec<String>,
}

/// The entries, what changed last first.
fn entries(view: &StatusPageView) -> Vec<FeedEntry<'_>> {
    let posts = view.open.iter().chain(&view.maintenance).chain(&view.past);
    let mut posts: Vec<&PostView> = posts.collect();
    posts.sort_by_key(|post| Reverse(post.updated_at));
    let phrases = phrases(&view.language);
    posts
        .into_iter()
        .take(ITEMS_MAX)
        .map(|post| entry(view, post, phrases))
        .collect()
}

fn entry<'view>(
    view: &StatusPageView,
    post: &'view PostView,
    phrases: &Phrases,
) -> FeedEntry<'view> {
    let updates = post.updates.iter().map(|update| {
        format!(
            "<p><strong>{}</strong> – <time datetime=\"{}\">{}</time></p>{}",
            xml(phrases.post(update.state)),
            seconds(update.at),
            xml(&moment(update.at, phrases)),
            markdown::html(&update.text)
        )
    });
    let title = one_line(&post.title);
    let names = overall::names(view, &post.components);
    FeedEntry {
        post,
        address: format!("{}{}", view.url, addresses::post(&post.id)),
        title: match phrases.kind(post.kind) {
            Some(kind) => format!("{kind}: {title}"),
            None => title,
        },
        html: updates.collect(),
        components: names.iter().map(|name| one_line(name)).collect(),
    }
}

/// RSS 2.0.
pub fn rss(view: &StatusPageView) -> String {
    let items = entries(view).into_iter().map(|entry| {
        let categories = entry.components.iter();
        let categories = categories.map(|name| format!("<category>{}</category>", xml(name)));
        let address = xml(&entry.address);
        format!(
            "<item><title>{}</title><link>{address}</link><guid isPermaLink=\"true\">{address}\
             </guid><pubDate>{}</pubDate>{}<description>{}</description></item>\n",
            xml(&entry.title),
            mail_date(entry.post.created_at),
            categories.collect::<String>(),
            xml(&entry.html)
        )
    });
    let title = xml(&one_line(&view.title));
    let url = xml(&view.url);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
         xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>{title}</title>\
         <link>{url}</link><description>{title}</description><language>{}</language>\
         <lastBuildDate>{}</lastBuildDate>\
         <atom:link href=\"{url}{}\" rel=\"self\" type=\"application/rss+xml\"/>\n{}\
         </channel></rss>\n",
        phrases(&view.language).tag,
        mail_date(view.updated_at),
        addresses::RSS,
        items.collect::<String>()
    )
}

/// Atom, RFC 4287.
pub fn atom(view: &StatusPageView) -> String {
    let title = xml(&one_line(&view.title));
    let items = entries(view).into_iter().map(|entry| {
        let categories = entry.components.iter();
        let categories = categories.map(|name| format!("<category term=\"{}\"/>", xml(name)));
        let address = xml(&entry.address);
        format!(
            "<entry><id>{address}</id><title>{}</title><link href=\"{address}\"/>\
             <published>{}</published><updated>{}</updated>{}<content type=\"html\">{}</content>\
             </entry>\n",
            xml(&entry.title),
            seconds(entry.post.created_at),
            seconds(entry.post.updated_at),
            categories.collect::<String>(),
            xml(&entry.html)
        )
    });
    let url = xml(&view.url);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xml:lang=\"{}\"><id>{url}{atom}</id><title>{title}</title><author><name>{title}</name>\
         </author><updated>{}</updated><link href=\"{url}\"/><link rel=\"self\" \
         href=\"{url}{atom}\"/>\n{}</feed>\n",
        phrases(&view.language).tag,
        seconds(view.updated_at),
        items.collect::<String>(),
        atom = addresses::ATOM,
    )
}

/// JSON Feed 1.1.
pub fn json_feed(view: &StatusPageView) -> String {
    let items = entries(view).into_iter().map(|entry| {
        json!({
            "id": entry.address,
            "url": entry.address,
            "title": entry.title,
            "content_html": entry.html,
            "date_published": seconds(entry.post.created_at),
            "date_modified": seconds(entry.post.updated_at),
            "tags": entry.components,
        })
    });
    let feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": one_line(&view.title),
        "home_page_url": &*view.url,
        "feed_url": format!("{}{}", view.url, addresses::JSON_FEED),
        "language": phrases(&view.language).tag,
        "items": items.collect::<Vec<_>>(),
    });
    feed.to_string()
}
