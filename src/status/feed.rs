//! RSS, Atom and JSON Feed as one list of items; the only file that knows the parser.

use feed_rs::model::{Entry, Feed, Link};
use feed_rs::parser::Builder;

use crate::engine::time::Timestamp;

use super::StatusUnreadable;
use super::moment::moment;

/// A feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedDocument {
    /// Its own id; empty where it has none.
    pub id: String,
    pub title: String,
    /// The page that it belongs to.
    pub link: String,
    /// In the order of the document, which is mostly the newest first.
    pub items: Vec<FeedItem>,
}

/// An item of a feed, as it is written; missing texts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedItem {
    pub guid: String,
    pub link: String,
    pub title: String,
    /// HTML, mostly.
    pub text: String,
    pub categories: Vec<String>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
}

/// Whether a body is a feed, by its root alone.
pub fn is_feed(body: &[u8]) -> bool {
    root(body).is_some_and(|(_, root)| root.is_feed())
}

/// Reads a feed; a kind's word is for the message.
pub fn parse(body: &[u8], kind: &'static str) -> Result<FeedDocument, StatusUnreadable> {
    let shape = |problem: &str| StatusUnreadable::Shape {
        kind,
        problem: problem.to_owned(),
    };
    let Some((prolog, root)) = root(body) else {
        return Err(shape("it is neither XML nor JSON"));
    };
    if !root.is_feed() {
        return Err(shape("its root is not that of a feed"));
    }
    // The parser expands no entities of a document's own; one that brings some is up to no good.
    if contains(prolog, b"<!ENTITY") {
        return Err(shape("it declares entities"));
    }
    if matches!(root, Root::Element(_)) && is_excessive(body) {
        return Err(shape("it has more attributes than a feed has"));
    }
    let builder = Builder::new()
        .sanitize_content(false)
        // Identities are ours to find: the parser would make random ones up.
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|text| moment(text)?.to_string().parse().ok());
    match builder.build().parse(body) {
        Ok(feed) => Ok(document(feed)),
        Err(error) => Err(shape(&crate::text::truncate::truncate(
            &crate::text::one_line(&error.to_string()),
            200,
        ))),
    }
}

/// What a document begins with.
enum Root<'body> {
    /// The name of the first element, without a prefix.
    Element(&'body [u8]),
    Json {
        is_feed: bool,
    },
}

impl Root<'_> {
    fn is_feed(&self) -> bool {
        match self {
            Self::Element(name) => {
                matches!(*name, b"rss" | b"RDF" | b"feed")
            }
            Self::Json { is_feed } => *is_feed,
        }
    }
}

/// What stands before the root, and the root.
fn root(body: &[u8]) -> Option<(&[u8], Root<'_>)> {
    let start = body.iter().position(|byte| matches!(byte, b'<' | b'{'))?;
    if body.get(start) == Some(&b'{') {
        let is_feed = contains(body, b"//jsonfeed.org/version/");
        return Some((&[], Root::Json { is_feed }));
    }
    let mut rest = body.get(start..)?;
    loop {
        let open = rest.iter().position(|byte| *byte == b'<')?;
        let after = rest.get(open..)?.get(1..)?;
        if let Some(comment) = after.strip_prefix(b"!--") {
            let end = find(comment, b"-->")?;
            rest = comment.get(end..)?;
            continue;
        }
        rest = after;
        if after.first().is_some_and(u8::is_ascii_alphabetic) {
            break;
        }
    }
    let prolog = body.get(..body.len().saturating_sub(rest.len()))?;
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
    let name = rest.split(is_end).next()?;
    let name = name.rsplit(|byte| *byte == b':').next()?;
    Some((prolog, Root::Element(name)))
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes
        .windows(sought.len())
        .position(|found| found == sought)
}

fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    find(bytes, sought).is_some()
}

/// Whether a tag has so many attributes, or the document so many namespaces, that comparing each
/// with each would take long.
fn is_excessive(body: &[u8]) -> bool {
    const ATTRIBUTES_MAX: usize = 1_000;
    const NAMESPACES_MAX: usize = 20_000;
    let mut attributes: usize = 0;
    for byte in body {
        match byte {
            b'<' | b'>' => attributes = 0,
            b'=' => attributes = attributes.saturating_add(1),
            _ => {}
        }
        if attributes > ATTRIBUTES_MAX {
            return true;
        }
    }
    let namespaces = body.windows(5).filter(|found| found == b"xmlns");
    namespaces.count() > NAMESPACES_MAX
}

fn document(feed: Feed) -> FeedDocument {
    FeedDocument {
        id: feed.id.trim().to_owned(),
        title: feed.title.map(|title| title.content).unwrap_or_default(),
        link: best_link(&feed.links),
        items: feed.entries.into_iter().map(item).collect(),
    }
}

fn item(entry: Entry) -> FeedItem {
    let content = entry.content.and_then(|content| content.body);
    let summary = entry.summary.map(|summary| summary.content);
    let categories = entry.categories.into_iter().map(|category| {
        let label = category.label.filter(|label| !label.trim().is_empty());
        label.unwrap_or(category.term).trim().to_owned()
    });
    let published = entry
        .published
        .map(|date| Timestamp(date.timestamp_millis()));
    let updated = entry.updated.map(|date| Timestamp(date.timestamp_millis()));
    FeedItem {
        guid: entry.id.trim().to_owned(),
        link: best_link(&entry.links),
        title: entry.title.map(|title| title.content).unwrap_or_default(),
        text: content
            .filter(|text| !text.trim().is_empty())
            .or(summary)
            .unwrap_or_default(),
        categories: categories.filter(|category| !category.is_empty()).collect(),
        published,
        updated,
    }
}

/// The page for people: not the feed itself, nor comments on it.
fn best_link(links: &[Link]) -> String {
    let is_page = |link: &&Link| {
        let rel = link.rel.as_deref();
        link.target.is_none() && rel.is_none_or(|rel| rel == "alternate")
    };
    let link = links.iter().find(is_page);
    link.map(|link| link.href.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> FeedDocument {
        parse(body.as_bytes(), "feed").unwrap()
    }

    #[test]
    fn every_format_gives_the_same_item() {
        let rss = r#"<?xml version="1.0"?><!-- <feed> --><rss version="2.0"><channel>
            <title>Acme</title><link>https://status.example.com</link>
            <item><title>API</title><link>https://status.example.com/incidents/1</link>
            <guid isPermaLink="false">g1</guid><description><![CDATA[<p>down</p>]]></description>
            <category>api</category><pubDate>2026-07-16T20:10:00Z</pubDate></item>
            </channel></rss>"#;
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Acme</title>
            <link rel="self" href="https://status.example.com/feed"/>
            <link href="https://status.example.com"/>
            <entry><id>g1</id><title>API</title>
            <link href="https://status.example.com/incidents/1"/>
            <published>2026-07-16T20:10:00Z</published><updated>2026-07-16T20:10:00Z</updated>
            <category term="api"/><content type="html">&lt;p&gt;down&lt;/p&gt;</content>
            </entry></feed>"#;
        let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"Acme",
            "home_page_url":"https://status.example.com","items":[{"id":"g1","title":"API",
            "url":"https://status.example.com/incidents/1","content_html":"<p>down</p>",
            "tags":["api"],"date_published":"2026-07-16T20:10:00Z",
            "date_modified":"2026-07-16T20:10:00Z"}]}"#;
        let [rss, atom, json] = [rss, atom, json].map(read);
        assert_eq!(rss.items[0].guid, "g1");
        assert_eq!(rss.items[0].text, "<p>down</p>");
        assert_eq!(rss.items[0].published, moment("2026-07-16T20:10:00Z"));
        for other in [atom, json] {
            assert_eq!(other.title, rss.title);
            let host = |link: &str| link.trim_end_matches('/').to_owned();
            assert_eq!(host(&other.link), host(&rss.link));
            assert_eq!(other.items, rss.items);
        }
        let rdf = r##"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns="http://purl.org/rss/1.0/"><channel><title>Acme</title></channel>
            <item><title>API</title><link>https://status.example.com/incidents/1</link></item>
            </rdf:RDF>"##;
        let rdf = read(rdf);
        assert_eq!(rdf.items[0].link, rss.items[0].link);
        assert_eq!(rdf.items[0].guid, "", "none is made up");
    }

    #[test]
    fn what_is_no_feed_is_said() {
        let bombs = [
            r#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss version="2.0"/>"#,
            r#"<!-- x --><!DOCTYPE x [<!ENTITY a "<rss>">]><feed>&a;</feed>"#,
        ];
        let many = |name: &str| {
            (0..50_000)
                .map(|at| format!(" {name}{at}=''"))
                .collect::<String>()
        };
        let wide = format!("<rss version='2.0'{}><channel/></rss>", many("a"));
        let others = [
            "",
            "no",
            "<html><body>404</body></html>",
            "<rss",
            "{}",
            "[]",
            "<",
            "<!--",
            &wide,
        ];
        for body in bombs.into_iter().chain(others) {
            let read = parse(body.as_bytes(), "feed");
            assert!(
                matches!(read, Err(StatusUnreadable::Shape { .. })),
                "{body:.60}"
            );
        }
        assert!(!is_feed(b"<html><body>404</body></html>"));
        assert!(is_feed(
            b"\xef\xbb\xbf\n<?xml version='1.0'?><rss version='2.0'>"
        ));
    }

    #[test]
    fn an_unknown_zone_is_no_date() {
        let item = |date: &str| {
            let body = format!(
                "<rss version='2.0'><channel><title>A</title><item><title>x</title>\
                 <pubDate>{date}</pubDate></item></channel></rss>"
            );
            read(&body).items[0].published
        };
        assert_eq!(item("Thu, 16 Jul 2026 20:10:00 QQT"), None);
        assert_eq!(item("soon"), None);
        assert_eq!(
            item("2026-07-16T22:10:00+02:00"),
            moment("2026-07-16T20:10:00Z")
        );
    }
}
