//! Where the forms of a status page are, beneath its address.

/// All posts, month by month; a month such as `2026-11` follows after a slash.
pub const HISTORY: &str = "/history";
pub const RSS: &str = "/history.rss";
pub const ATOM: &str = "/history.atom";
pub const JSON_FEED: &str = "/feed.json";
pub const CALENDAR: &str = "/maintenance.ics";
pub const BADGE: &str = "/badge.svg";

/// A post's own page.
pub fn post(id: &str) -> String {
    format!("/incidents/{id}")
}

/// The posts of a month such as `2026-11`.
pub fn month(month: &str) -> String {
    format!("{HISTORY}/{month}")
}

/// The badge of a component.
pub fn component_badge(id: &str) -> String {
    format!("/badge/{id}.svg")
}

/// The path of a page's address, for links that hold on whatever host it is read:
/// `https://example.com/status` → `/status`.
pub fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let start = rest.find('/').unwrap_or(rest.len());
    rest[start..].trim_end_matches('/')
}

/// The host of a page's address, with its port if it has one.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_path() {
        let cases = [
            ("https://status.example.com", "status.example.com", ""),
            ("https://status.example.com/", "status.example.com", ""),
            (
                "http://a.example:8080/x/status",
                "a.example:8080",
                "/x/status",
            ),
            ("", "", ""),
        ];
        for (url, expected_host, expected_path) in cases {
            assert_eq!(
                (host(url), path(url)),
                (expected_host, expected_path),
                "{url}"
            );
        }
    }
}
