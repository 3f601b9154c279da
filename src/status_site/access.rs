//! Who may read a page: everybody, whoever knows a password, or whoever has a token.

use axum::http::{HeaderMap, Uri, header};

use crate::engine::status_page_rules::{PageAccess, PageAudience};
use crate::signing;
use crate::text::{base64, form, hash};

/// The password or token that the request shows, right or wrong, where the page asks for one.
pub fn shown(audience: PageAudience, uri: &Uri, headers: &HeaderMap) -> Option<Vec<u8>> {
    match audience {
        PageAudience::Public => None,
        PageAudience::Password => password(headers),
        PageAudience::Token => token(uri, headers),
    }
}

/// Compares with every key, so that the time says nothing of which one is near.
pub fn is_key(access: &PageAccess, given: &[u8]) -> bool {
    let given = hash::sha256(given);
    let keys = access.key_hashes.iter();
    keys.fold(false, |is_key, key| {
        signing::compare(key, &given).is_ok() | is_key
    })
}

/// Of HTTP Basic; the user name is whatever the reader typed.
fn password(headers: &HeaderMap) -> Option<Vec<u8>> {
    let pair = base64::decode(credentials(headers, "basic")?)?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// Of the header, else of the query: readers of feeds send no headers.
fn token(uri: &Uri, headers: &HeaderMap) -> Option<Vec<u8>> {
    if let Some(token) = credentials(headers, "bearer") {
        return Some(token.as_bytes().to_vec());
    }
    let fields = form::fields(uri.query()?.as_bytes());
    let token = form::field(&fields, "token")?;
    Some(token.as_bytes().to_vec())
}

fn credentials<'headers>(headers: &'headers HeaderMap, scheme: &str) -> Option<&'headers str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (given, rest) = value.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then_some(rest.trim())
}
