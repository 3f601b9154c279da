//! What readers do not get: addresses with nothing, other methods, and pages that are not for all.

use axum::http::{StatusCode, header};

use super::{SiteUnderTest, published};
use crate::engine::status_page_rules::{PageAccess, PageAudience, PagePlace};
use crate::status_page::samples;
use crate::text::{base64, hash};

const SECRET: &str = "open: sesame";

fn site(audience: PageAudience) -> SiteUnderTest {
    let access = match audience {
        PageAudience::Public => PageAccess::PUBLIC,
        PageAudience::Password | PageAudience::Token => PageAccess {
            audience,
            key_hashes: vec![hash::sha256("older"), hash::sha256(SECRET)],
        },
    };
    let place = PagePlace::Path("/status".into());
    SiteUnderTest::new(vec![published(place, access, samples::busy())])
}

#[tokio::test]
async fn an_address_with_nothing_leads_back_to_the_page() {
    let site = site(PageAudience::Public);
    let cases = [
        "/nothing",
        "/history/1999-01",
        "/incidents/nosuchpost00",
        "/badge/nosuchcompon.svg",
        "/api/v2/nothing.json",
        "/x/badge.svg",
    ];
    for address in cases {
        let answer = site.get(&format!("/status{address}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}");
        assert!(answer.body.contains("<h1>404</h1>"), "{address}");
        assert!(answer.body.contains("Acme Cloud"), "{address}");
    }
}

#[tokio::test]
async fn pages_are_only_read() {
    let site = site(PageAudience::Public);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = site.ask(method, "/status", &[]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.header(&header::ALLOW), "GET, HEAD", "{method}");
    }
}

#[tokio::test]
async fn a_browser_learns_first_that_other_sites_may_read_what_is_for_programs() {
    let site = site(PageAudience::Public);
    for address in ["/api/v2/summary.json", "/history.rss", "/badge.svg"] {
        let address = format!("/status{address}");
        let answer = site.ask("OPTIONS", &address, &[]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{address}");
        let header = |name| answer.header(&name);
        assert_eq!(header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert_eq!(header(header::ACCESS_CONTROL_ALLOW_METHODS), "GET, HEAD");
        assert_eq!(
            header(header::ACCESS_CONTROL_ALLOW_HEADERS),
            "If-None-Match"
        );
    }
    for audience in [PageAudience::Password, PageAudience::Token] {
        let site = self::site(audience);
        let answer = site.ask("OPTIONS", "/status/badge.svg", &[]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        let others = answer.header(&header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(others, "", "a page that is not for all");
    }
}

#[tokio::test]
async fn without_the_secret_nothing_of_a_page_leaks() {
    let basic = format!("Basic {}", base64::encode(b"ana:wrong"));
    for (audience, scheme) in [
        (PageAudience::Password, "Basic "),
        (PageAudience::Token, "Bearer "),
    ] {
        let site = site(audience);
        let mut bodies = Vec::new();
        for address in ["", "/badge.svg", "/history.rss", "/nothing", "?token=wrong"] {
            for authorization in ["", &basic, "Bearer wrong", "Basic !", "Basic"] {
                let address = format!("/status{address}");
                let headers = [("authorization", authorization)];
                let answer = site.ask("GET", &address, &headers).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{address}");
                let challenge = answer.header(&header::WWW_AUTHENTICATE);
                assert!(challenge.starts_with(scheme), "{challenge}");
                assert_eq!(answer.header(&header::ETAG), "");
                bodies.push(answer.body);
            }
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "the refusal is the same everywhere");
        assert!(!bodies[0].contains("Acme"), "{}", bodies[0]);
    }
}

#[tokio::test]
async fn the_secret_opens_a_page_and_its_badges_and_no_cache_keeps_them() {
    let basic = format!(
        "Basic {}",
        base64::encode(format!("ana:{SECRET}").as_bytes())
    );
    let bearer = format!("Bearer {SECRET}");
    let query = "?token=open%3A+sesame";
    let cases = [
        (PageAudience::Password, "", basic.as_str()),
        (PageAudience::Token, "", bearer.as_str()),
        (PageAudience::Token, query, ""),
    ];
    for (audience, query, authorization) in cases {
        let site = site(audience);
        for address in ["", "/badge.svg", "/history.rss"] {
            let address = format!("/status{address}{query}");
            let headers = [("authorization", authorization)];
            let answer = site.ask("GET", &address, &headers).await;
            assert_eq!(answer.status, StatusCode::OK, "{address}");
            let cache = answer.header(&header::CACHE_CONTROL);
            assert_eq!(cache, "private, no-store", "{address}");
            let others = answer.header(&header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(others, "", "{address}");
        }
    }
}
