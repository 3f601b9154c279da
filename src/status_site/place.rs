//! Which page a request is for: by the host that it names, else by the beginning of its path.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header};

use crate::engine::status_page_rules::PagePlace;
use crate::status_page::published::{PublishedPage, PublishedPages};

/// The page, and the address of the form beneath it without a slash at the end. Of several paths
/// that fit, the longest counts.
pub fn find<'request>(
    published: &'request PublishedPages,
    uri: &'request Uri,
    headers: &HeaderMap,
) -> Option<(&'request Arc<PublishedPage>, &'request str)> {
    let path = uri.path().trim_end_matches('/');
    let host = requested_host(uri, headers).unwrap_or_default();
    let of_host = published.pages.values().find(|page| {
        let PagePlace::Host(name) = &page.rules.place else {
            return false;
        };
        name.eq_ignore_ascii_case(host)
    });
    if let Some(page) = of_host {
        return Some((page, path));
    }
    let of_path = published.pages.values().filter_map(|page| {
        let PagePlace::Path(place) = &page.rules.place else {
            return None;
        };
        let address = path.strip_prefix(place.trim_end_matches('/'))?;
        (address.is_empty() || address.starts_with('/')).then_some((page, address))
    });
    of_path.min_by_key(|(_, address)| address.len())
}

/// Without its port, and without the dot that ends a full name. HTTP/2 has it in the address.
fn requested_host<'request>(
    uri: &'request Uri,
    headers: &'request HeaderMap,
) -> Option<&'request str> {
    let named = || headers.get(header::HOST)?.to_str().ok();
    let host = uri.host().or_else(named)?;
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    Some(host.trim_end_matches('.'))
}
