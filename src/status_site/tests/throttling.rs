//! Readers that ask too often, and those who try keys.

use axum::http::{StatusCode, header};

use super::{SiteUnderTest, published};
use crate::engine::status_page_rules::{PageAccess, PageAudience, PagePlace};
use crate::status_page::samples;
use crate::text::{base64, hash};

const CLIENT: &str = "192.0.2.1";
const NEIGHBOUR: &str = "192.0.2.2";

fn site(audience: PageAudience) -> SiteUnderTest {
    let access = PageAccess {
        audience,
        key_hashes: vec![hash::sha256("sesame")],
    };
    let place = PagePlace::Path("/status".into());
    SiteUnderTest::new(vec![published(place, access, samples::quiet())])
}

fn basic(password: &str) -> String {
    let pair = format!("ana:{password}");
    format!("Basic {}", base64::encode(pair.as_bytes()))
}

#[tokio::test]
async fn a_client_gets_100_answers_at_once_and_then_20_in_a_second() {
    let site = site(PageAudience::Public);
    for number in 0..100 {
        let answer = site.get_as(CLIENT, "/status/badge.svg", "").await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
    }
    let refused = site.get_as(CLIENT, "/status", "").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header(&header::RETRY_AFTER), "1");
    assert_eq!(refused.header(&header::CACHE_CONTROL), "private, no-store");
    let neighbour = site.get_as(NEIGHBOUR, "/status", "").await;
    assert_eq!(neighbour.status, StatusCode::OK);
    site.pass(1_000);
    let mut answered = 0;
    while site.get_as(CLIENT, "/status", "").await.status == StatusCode::OK {
        answered += 1;
    }
    assert_eq!(answered, 20);
}

#[tokio::test]
async fn who_stands_for_many_is_not_counted() {
    let site = site(PageAudience::Public);
    for number in 0..300 {
        let answer = site.get("/status").await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
    }
}

#[tokio::test]
async fn after_twenty_wrong_keys_further_ones_are_not_looked_at_for_a_while() {
    let right = basic("sesame");
    let cases = [
        (PageAudience::Password, basic("wrong"), right.as_str()),
        (PageAudience::Token, "Bearer wrong".into(), "Bearer sesame"),
    ];
    for (audience, wrong, right) in cases {
        let site = site(audience);
        for number in 0..20 {
            let answer = site.get_as(CLIENT, "/status", &wrong).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{number}");
        }
        for key in [wrong.as_str(), right] {
            let answer = site.get_as(CLIENT, "/status", key).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{key}");
            assert_eq!(answer.header(&header::RETRY_AFTER), "30");
            assert!(!answer.body.contains("Acme"), "{}", answer.body);
        }
        let without = site.get_as(CLIENT, "/status", "").await;
        assert_eq!(without.status, StatusCode::UNAUTHORIZED);
        let neighbour = site.get_as(NEIGHBOUR, "/status", right).await;
        assert_eq!(neighbour.status, StatusCode::OK);
        site.pass(30_000);
        let answer = site.get_as(CLIENT, "/status", right).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn right_keys_and_requests_without_any_are_not_counted_as_wrong_ones() {
    let site = site(PageAudience::Token);
    for number in 0..60 {
        let answer = site.get_as(CLIENT, "/status", "Bearer sesame").await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
        let answer = site.get_as(CLIENT, "/status", "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{number}");
        site.pass(100);
    }
}
