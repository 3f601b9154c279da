//! A page as HTML mail, made for a phone at night: large type, one large button, dark if the phone
//! is. No picture, no font and no script is fetched; nothing tells us that it was read.
//!
//! The template engine escapes all text, so that nothing of others becomes mark-up.

use askama::Template;

use super::text;
use crate::channels::acknowledge_text;
use crate::channels::links::Links;
use crate::channels::message_text;
use crate::channels::sent::Block;
use crate::engine::decision::{IncidentSummary, SendRequest};
use crate::engine::incident::Status;
use crate::engine::urgency::Urgency;
use crate::text::one_line;

/// The whole body.
#[derive(Template)]
#[template(path = "page.html", config = "src/channels/email/askama.toml")]
struct Page {
    subject: String,
    /// What a phone shows beside the subject before the mail is opened.
    preview: String,
    /// The colour of the bar, which tells the state before a word is read.
    bar: &'static str,
    notice: Option<String>,
    /// Of a single incident.
    tag: Option<Tag>,
    title: String,
    /// What is new about an incident that still asks.
    joined: Option<String>,
    facts: Vec<(&'static str, String)>,
    link: String,
    button: String,
    how: Option<String>,
    content: Content,
}

/// Urgency and number, in red while nobody has it.
struct Tag {
    text: String,
    is_alarm: bool,
}

enum Content {
    Incident {
        heading: String,
        alerts: Vec<String>,
        sent: Vec<Block>,
        links: Vec<(String, String)>,
        more_links: Option<String>,
    },
    Bundle {
        incidents: Vec<BundledIncident>,
        rest: Option<String>,
    },
}

struct BundledIncident {
    tag: String,
    title: String,
    details: String,
}

const RED: &str = "#dc2626";
const AMBER: &str = "#d97706";
const BLUE: &str = "#2563eb";
const GREEN: &str = "#16a34a";

/// The whole body as an HTML document.
pub fn compose(order: &SendRequest, links: &Links) -> String {
    let page = match order.message.single() {
        Some(brief) => single(order, links, brief),
        None => bundle(order, links),
    };
    page.render()
        .expect("strings are written to a string, which cannot fail")
}

fn single(order: &SendRequest, links: &Links, brief: &IncidentSummary) -> Page {
    let message = &order.message;
    let number = brief.incident.number;
    let notice = message_text::notice(order);
    let joined = message_text::news(message).filter(|_| notice.is_none());
    let news = notice.as_ref().or(joined.as_ref()).cloned();
    let verb = if order.asks { "Acknowledge" } else { "Look at" };
    Page {
        subject: text::subject(message),
        preview: news.unwrap_or_else(|| text::bundle_details(message, brief)),
        bar: match (brief.status, brief.urgency) {
            (Status::Resolved, Urgency::High | Urgency::Low) => GREEN,
            (Status::Acknowledged, Urgency::High | Urgency::Low) => BLUE,
            (Status::Triggered, Urgency::High) => RED,
            (Status::Triggered, Urgency::Low) => AMBER,
        },
        tag: Some(Tag {
            text: message_text::tag(brief),
            is_alarm: brief.status == Status::Triggered && brief.urgency == Urgency::High,
        }),
        notice,
        title: message_text::title_and_count(brief),
        joined,
        facts: text::facts(message, brief),
        link: links.page(&message.token),
        button: format!("{verb} #{number}"),
        how: acknowledge_text::how_to_acknowledge(order, links),
        content: Content::Incident {
            heading: text::alerts_heading(brief),
            alerts: message_text::alert_lines(brief),
            sent: text::sent(brief),
            links: further_links(brief),
            more_links: message_text::more_links(brief, text::LINKS_MAX),
        },
    }
}

fn bundle(order: &SendRequest, links: &Links) -> Page {
    let message = &order.message;
    let mut incidents = message.incidents.iter();
    let is_high = incidents.any(|brief| brief.urgency == Urgency::High);
    let incident = |brief: &IncidentSummary| BundledIncident {
        tag: message_text::tag(brief),
        title: message_text::title_and_count(brief),
        details: text::bundle_details(message, brief),
    };
    Page {
        subject: text::subject(message),
        preview: acknowledge_text::bundle_summary(message),
        bar: if is_high { RED } else { AMBER },
        notice: None,
        tag: None,
        title: acknowledge_text::bundle_count(message),
        joined: None,
        facts: vec![text::why(message)],
        link: links.page(&message.token),
        button: format!("Acknowledge all {}", message.incidents_total),
        how: acknowledge_text::how_to_acknowledge(order, links),
        content: Content::Bundle {
            incidents: message.incidents.iter().map(incident).collect(),
            rest: text::bundle_rest(message),
        },
    }
}

/// Address and text of each link.
fn further_links(brief: &IncidentSummary) -> Vec<(String, String)> {
    let links = message_text::links_of(brief).into_iter();
    let links = links.take(text::LINKS_MAX).map(|link| {
        let text = link.text.as_deref().map(one_line);
        let text = text.filter(|text| !text.is_empty());
        let href = link.href.to_string();
        (href.clone(), text.unwrap_or(href))
    });
    links.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::channels::tests::order_of;
    use crate::engine::page::UpdateKind;
    use crate::engine::ruleset::Medium;

    #[test]
    fn what_others_wrote_never_becomes_markup() {
        let evil = r#""><script>alert('1')</script><img src=x onerror=y>&"#;
        let mut order = order_of(Medium::Email, evil);
        order.message.time_zone = evil.into();
        let alert = &mut order.message.incidents[0].alerts[0];
        sample::content(alert).links = vec![
            sample::link("https://x/\"onmouseover=\"alert(1)", Some(evil)),
            sample::link("javascript:alert(1)", Some("click")),
        ];
        let html = compose(&order, &sample::links());
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(
            !html.contains("javascript:") && !html.contains("\"onmouseover"),
            "{html}"
        );
        assert!(html.contains("&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;"));
    }

    #[test]
    fn the_button_leads_to_the_page_and_says_what_it_is_for() {
        let page = sample::order(Medium::Email);
        let notice = sample::update(Medium::Email, UpdateKind::Resolved, sample::resolved());
        let bundle = sample::bundle(Medium::Email, 12);
        let cases = [
            (&page, "Acknowledge #1042"),
            (&notice, "Look at #1042"),
            (&bundle, "Acknowledge all 12"),
        ];
        for (order, text) in cases {
            let html = compose(order, &sample::links());
            let link = sample::links().page(&order.message.token);
            assert!(html.contains(&format!("<a href=\"{link}\" ")), "{html}");
            assert!(html.contains(&format!(">{text}</a>")), "{html}");
        }
    }

    #[test]
    fn nothing_is_fetched_when_the_mail_is_opened() {
        let html = compose(&sample::order(Medium::Email), &sample::links());
        for sign in ["src=", "url(", "@import", "<link", "<script"] {
            assert!(!html.contains(sign), "{sign}");
        }
    }

    #[test]
    fn a_bundled_page_names_every_incident_it_was_given() {
        let html = compose(&sample::bundle(Medium::Email, 30), &sample::links());
        for number in 1042..1072 {
            assert!(html.contains(&format!("<b>HIGH #{number}</b>")), "{number}");
        }
    }
}
