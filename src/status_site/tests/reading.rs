//! What readers get: each form at its address, with what caches and browsers need to know.

use axum::http::{StatusCode, header};

use super::{SiteUnderTest, all, published};
use crate::engine::status_page_rules::{PageAccess, PagePlace};
use crate::status_page::samples;
use crate::status_page::view::StatusPageView;
use crate::text::{base64, hash};

fn beneath_status(view: StatusPageView) -> crate::status_page::published::PublishedPage {
    published(PagePlace::Path("/status".into()), PageAccess::PUBLIC, view)
}

#[tokio::test]
async fn each_address_answers_with_its_type() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::busy())]);
    let badge = format!("/badge/{}.svg", samples::id(0));
    let html = "text/html; charset=utf-8";
    let json = "application/json; charset=utf-8";
    let svg = "image/svg+xml; charset=utf-8";
    let cases = [
        ("", html, ""),
        ("/", html, ""),
        ("/history", html, ""),
        ("/history/2026-11", html, ""),
        ("/incidents/openopenope1", html, ""),
        ("/history.rss", "application/rss+xml; charset=utf-8", "*"),
        ("/history.atom", "application/atom+xml; charset=utf-8", "*"),
        ("/feed.json", "application/feed+json; charset=utf-8", "*"),
        ("/maintenance.ics", "text/calendar; charset=utf-8", "*"),
        ("/badge.svg", svg, "*"),
        (&badge, svg, "*"),
        ("/api/v2/status.json", json, "*"),
        ("/api/v2/summary.json", json, "*"),
        ("/api/v2/components.json", json, "*"),
        ("/api/v2/incidents.json", json, "*"),
        ("/api/v2/incidents/unresolved.json", json, "*"),
        ("/api/v2/scheduled-maintenances.json", json, "*"),
        ("/api/v2/scheduled-maintenances/upcoming.json", json, "*"),
        ("/api/v2/scheduled-maintenances/active.json", json, "*"),
    ];
    for (address, content_type, other_sites) in cases {
        let answer = site.get(&format!("/status{address}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        let given = answer.header(&header::CONTENT_TYPE);
        assert_eq!(given, content_type, "{address}");
        let given = answer.header(&header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(given, other_sites, "{address}");
        assert!(!answer.body.is_empty(), "{address}");
    }
}

#[tokio::test]
async fn a_reader_that_has_the_form_is_told_so_and_others_get_it() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::quiet())]);
    let first = site.get("/status").await;
    let etag = first.header(&header::ETAG).to_owned();
    assert_eq!(
        first.header(&header::LAST_MODIFIED),
        "Mon, 30 Nov 2026 14:04:00 GMT"
    );
    assert_eq!(
        first.header(&header::CACHE_CONTROL),
        "public, max-age=15, stale-while-revalidate=60"
    );
    for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".into()] {
        let headers = [("if-none-match", tags.as_str())];
        let answer = site.ask("GET", "/status", &headers).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{tags}");
        assert_eq!(answer.body, "", "{tags}");
        assert_eq!(answer.header(&header::ETAG), etag);
    }
    site.published
        .send_replace(all(vec![beneath_status(samples::busy())]));
    let headers = [("if-none-match", etag.as_str())];
    let changed = site.ask("GET", "/status", &headers).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header(&header::ETAG), etag);
}

#[tokio::test]
async fn head_says_what_get_would_without_the_body() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::quiet())]);
    let get = site.get("/status").await;
    let head = site.ask("HEAD", "/status", &[]).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.header(&header::ETAG), get.header(&header::ETAG));
    let length = get.body.len().to_string();
    assert_eq!(head.header(&header::CONTENT_LENGTH), length);
}

#[tokio::test]
async fn browsers_may_use_the_style_of_the_page_and_nothing_else() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::busy())]);
    let answer = site.get("/status").await;
    let (_, rest) = answer.body.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let named = format!("'sha256-{}'", base64::encode(&hash::sha256(style)));
    let policy = answer.header(&header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&named), "{policy}");
    assert!(!answer.body.contains(" style="), "the policy forbids these");
    assert_eq!(answer.header(&header::X_CONTENT_TYPE_OPTIONS), "nosniff");
}

#[tokio::test]
async fn what_is_not_sure_is_shown_as_the_last_known() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::quiet())]);
    let marked = |body: &str| body.contains("<p class=\"known\"");
    let sure = site.get("/status").await;
    assert!(!marked(&sure.body));
    site.is_certain.send_replace(false);
    let unsure = site.get("/status").await;
    assert!(marked(&unsure.body));
    assert_ne!(sure.header(&header::ETAG), unsure.header(&header::ETAG));
    site.is_certain.send_replace(true);
    assert_eq!(site.get("/status").await.body, sure.body);
}

#[tokio::test]
async fn a_page_is_found_by_its_host_or_else_by_the_longest_path() {
    let named = |name: &str| StatusPageView {
        name: name.into(),
        title: format!("Title of {name}").as_str().into(),
        ..samples::quiet()
    };
    let page = |place, name| published(place, PageAccess::PUBLIC, named(name));
    let site = SiteUnderTest::new(vec![
        page(PagePlace::Host("status.example.com".into()), "host"),
        page(PagePlace::Path("/status".into()), "path"),
        page(PagePlace::Path("/status/eu".into()), "longer"),
    ]);
    let cases = [
        ("status.example.com", "/", Some("host")),
        ("STATUS.example.com.:8443", "/", Some("host")),
        ("status.example.com", "/status", None),
        ("other.example.com", "/status", Some("path")),
        ("other.example.com", "/status/eu", Some("longer")),
        ("other.example.com", "/status/europe", None),
        ("other.example.com", "/statuses", None),
        ("other.example.com", "/", None),
    ];
    for (host, address, expected) in cases {
        let answer = site.ask("GET", address, &[("host", host)]).await;
        let is_ok = answer.status == StatusCode::OK;
        assert_eq!(is_ok, expected.is_some(), "{host}{address}");
        if let Some(name) = expected {
            let title = format!("Title of {name}");
            assert!(answer.body.contains(&title), "{host}{address}");
        }
    }
}

#[tokio::test]
async fn each_answer_of_a_page_is_told_with_its_form_and_the_class_of_its_status() {
    let site = SiteUnderTest::new(vec![beneath_status(samples::quiet())]);
    let etag = site.get("/status").await.header(&header::ETAG).to_owned();
    let headers = [("if-none-match", etag.as_str())];
    site.ask("GET", "/status", &headers).await;
    site.ask("HEAD", "/status/api/v2/summary.json", &[]).await;
    site.get("/status/nothing").await;
    site.ask("POST", "/status", &[]).await;
    site.get("/elsewhere").await;
    let expected = [
        "public html 2xx",
        "public html 3xx",
        "public api 2xx",
        "public none 4xx",
        "public none 4xx",
    ];
    assert_eq!(*site.answers.lock().unwrap(), expected);
}
