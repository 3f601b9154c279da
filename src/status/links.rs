//! Feeds that an HTML page names in its head: `<link rel="alternate" type="application/rss+xml">`.

use super::StatusAddress;

/// Types of feeds, as pages write them.
const TYPES: [&str; 4] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
];

/// Feeds that are looked at.
const FEEDS_MAX: usize = 4;

/// The addresses of the feeds that a page names, in its order.
pub fn feeds(html: &[u8], address: &StatusAddress) -> Vec<String> {
    let html = String::from_utf8_lossy(html);
    let lower = html.to_ascii_lowercase();
    let mut feeds = Vec::new();
    let mut from = 0;
    while let Some(start) = lower[from..].find("<link").map(|at| from + at) {
        let end = lower[start..]
            .find('>')
            .map_or(lower.len(), |at| start + at);
        // Lower case of ASCII changes no position.
        let (tag, lower_tag) = (&html[start..end], &lower[start..end]);
        let is_feed = TYPES.iter().any(|kind| lower_tag.contains(kind));
        if is_feed
            && lower_tag.contains("alternate")
            && let Some(target) = attribute(tag, lower_tag, "href")
        {
            feeds.extend(resolved(target, address));
        }
        if feeds.len() >= FEEDS_MAX {
            break;
        }
        from = end;
    }
    feeds
}

/// The value of an attribute, in single or double quotes.
fn attribute<'tag>(tag: &'tag str, lower: &str, name: &str) -> Option<&'tag str> {
    let at = lower.find(&format!(" {name}="))? + name.len() + 2;
    let value = tag.get(at..)?;
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..]
        .split(quote)
        .next()
        .filter(|value| !value.is_empty())
}

fn resolved(target: &str, address: &StatusAddress) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return Some(target.to_owned());
    }
    if let Some(rest) = target.strip_prefix("//") {
        return Some(format!("{}://{rest}", address.scheme));
    }
    if target.starts_with('/') {
        return Some(address.on_host(target));
    }
    let is_relative = !target.contains(':');
    is_relative.then(|| address.beneath(&format!("/{target}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_of_a_page_are_found_and_nothing_else() {
        let address = StatusAddress::parse("https://status.example.com/de").expect("an address");
        let html = br#"<HTML><head><link rel="stylesheet" href="/a.css">
            <LINK REL="alternate" type="application/rss+xml" HREF="/history.rss" title="RSS">
            <link rel='alternate' type='application/atom+xml' href='history.atom'>
            <link rel="alternate" type="application/rss+xml" href="//feeds.example.com/x">
            <link rel="alternate" hreflang="en" href="/en">
            <link rel="alternate" type="application/rss+xml">
            <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
            <link"#;
        let expected = [
            "https://status.example.com/history.rss",
            "https://status.example.com/de/history.atom",
            "https://feeds.example.com/x",
        ];
        assert_eq!(feeds(html, &address), expected);
        assert_eq!(
            feeds("ä\u{130}<link \u{fffd}".as_bytes(), &address),
            [""; 0]
        );
    }
}
