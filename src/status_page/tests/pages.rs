//! Pages: their size, their marks for those who do not see them, and text that stays text.

use crate::engine::status_report::ComponentState;
use crate::status_page::view::{ComponentNode, StatusPageView};
use crate::status_page::{history, page, samples};

/// Every page that there is of a view.
fn pages(view: &StatusPageView) -> Vec<String> {
    let posts = view.open.iter().chain(&view.maintenance).chain(&view.past);
    let posts = posts.map(|post| history::post_page(view, &post.id).expect("it is there"));
    let month = history::month_page(view, None).expect("the present month");
    posts.chain([page::html(view), month]).collect()
}

#[test]
fn a_bad_day_of_a_realistic_page_is_at_most_thirty_kilobytes() {
    let view = samples::busy();
    let html = page::html(&view);
    assert_eq!(html.matches("<svg class=\"bars\"").count(), 20);
    assert_eq!(html.matches("<article class=\"post").count(), 5);
    assert_eq!(html.matches("<article class=\"past").count(), 10);
    assert!(html.len() <= 30_000, "{} bytes", html.len());
}

#[test]
fn the_state_is_told_first_in_the_title_and_in_words() {
    let html = page::html(&samples::busy());
    assert!(
        html.contains("<title>Major outage · Acme Cloud</title>"),
        "{html}"
    );
    let headline = html
        .find("<h2 id=\"now\">Major outage</h2>")
        .expect("a headline");
    assert!(html[headline..].starts_with("<h2 id=\"now\">Major outage</h2>\n<p>Public API</p>"));
    assert!(html.find("<h2 id=\"open\">") > Some(headline));
    let quiet = page::html(&samples::quiet());
    assert!(quiet.contains("<title>All systems operational · Acme Cloud</title>"));
    assert!(quiet.contains("No incidents in the last 30 days."));
    assert!(!quiet.contains("<article"));
}

#[test]
fn nothing_runs_and_nothing_is_fetched() {
    for html in pages(&samples::busy()) {
        for sought in [
            "<script", "<img", "<iframe", "@import", "url(", " style=", " on", "src=",
        ] {
            assert!(!html.contains(sought) || sought == " on", "{sought}");
        }
        assert!(!html.contains("onclick") && !html.contains("onload"));
        let links = html.matches("<link rel=\"alternate\"").count();
        assert_eq!(
            html.matches("<link").count(),
            links,
            "feeds, and nothing else"
        );
        assert!(html.contains(&format!("<style>{}</style>", page::STYLE)));
    }
}

#[test]
fn text_of_others_stays_text() {
    let hostile = "<b>\"x\" & 'y'</b></title></style><script>";
    let mut view = samples::busy();
    view.title = hostile.into();
    for post in view
        .open
        .iter_mut()
        .chain(&mut view.maintenance)
        .chain(&mut view.past)
    {
        post.title = hostile.into();
        for update in &mut post.updates {
            update.text = hostile.into();
        }
    }
    for node in &mut view.components {
        match node {
            ComponentNode::Group(group) => group.name = hostile.into(),
            ComponentNode::Component(component) => {
                component.name = hostile.into();
                component.description = hostile.into();
            }
        }
    }
    for html in pages(&view) {
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert_eq!(html.matches("</style>").count(), 1);
        assert_eq!(
            html.matches("</title>").count() - html.matches("<title>").count(),
            0
        );
    }
}

#[test]
fn a_page_that_is_not_public_asks_search_engines_to_stay_away() {
    let mut view = samples::busy();
    assert!(pages(&view).iter().all(|html| !html.contains("noindex")));
    view.is_public = false;
    assert!(
        pages(&view)
            .iter()
            .all(|html| html.contains("content=\"noindex, nofollow\""))
    );
}

#[test]
fn a_page_that_is_not_sure_says_so_above_all_else() {
    let mut view = samples::busy();
    view.is_certain = false;
    for html in pages(&view) {
        let said = html.find("Last known state, as of 30 November 2026, 15:04 UTC.");
        assert!(said.expect("it is said") < html.find("<section").unwrap_or(html.len()));
    }
}

#[test]
fn a_german_page_is_german() {
    let mut view = samples::busy();
    view.language = "de".into();
    let html = page::html(&view);
    assert!(html.contains("<html lang=\"de\">"));
    assert!(html.contains("Schwerer Ausfall") && html.contains("30. November 2026, 15:04 UTC"));
    assert!(!html.contains("Operational") && !html.contains("uptime"));
}

#[test]
fn unknown_is_said_and_is_neither_well_nor_an_outage() {
    let mut view = samples::quiet();
    let ComponentNode::Component(component) = &mut view.components[1] else {
        panic!("it is a component");
    };
    component.state = ComponentState::Unknown;
    let html = page::html(&view);
    assert!(html.contains("<title>State not known · Acme Cloud</title>"));
    assert!(html.contains("<span class=\"state u\">Not known</span>"));
}

#[test]
fn links_stay_beneath_the_path_of_the_page() {
    let mut view = samples::busy();
    view.url = "https://reveille.example.com/status".into();
    for html in pages(&view) {
        for link in html.split("href=\"").skip(1) {
            let link = link.split('"').next().expect("an end");
            let is_ours = link.starts_with("/status") || link.starts_with('#');
            assert!(
                is_ours || link.starts_with("https://example.com/"),
                "{link}"
            );
        }
    }
}

#[test]
fn months_lead_from_one_to_the_next_and_others_are_not_there() {
    let view = samples::busy();
    let november = history::month_page(&view, None).expect("the present month");
    assert!(november.contains("<h1>November 2026</h1>"));
    assert!(
        november.contains("rel=\"next\" href=\"/history/2026-12\""),
        "planned maintenance"
    );
    let december = history::month_page(&view, Some("2026-12")).expect("a planned maintenance");
    assert!(december.contains("Databases move to a new rack"));
    assert!(december.contains("rel=\"prev\" href=\"/history/2026-11\""));
    for month in ["2026-01", "2026-13", "", "x", "2026-11-30", "../secret"] {
        assert_eq!(history::month_page(&view, Some(month)), None, "{month}");
    }
    let quiet = history::month_page(&samples::quiet(), None).expect("the present month");
    assert!(quiet.contains("No incidents in this month."));
}

#[test]
fn a_posts_own_page_has_all_of_its_updates() {
    let mut view = samples::busy();
    let update = view.open[0].updates[0].clone();
    view.open[0].updates.extend(vec![update; 5]);
    let html = history::post_page(&view, "openopenope1").expect("it is there");
    assert_eq!(html.matches("<li><p><strong>").count(), 8);
    let current = page::html(&view);
    assert!(current.contains("<a href=\"/incidents/openopenope1\">Earlier updates: 5</a>"));
    assert_eq!(history::post_page(&view, "nothingthere"), None);
}
