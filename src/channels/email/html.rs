//! A page as HTML mail, made for a phone at night: large type, one large button, dark if the phone
//! is. No picture, no font and no script is fetched; nothing tells us that it was read.
//!
//! Mark-up is written only as literals; all text of others goes through `Html::text`.

use super::text;
use crate::channels::links::Links;
use crate::channels::message_text;
use crate::channels::sent::Block;
use crate::engine::decision::{IncidentSummary, Message, SendRequest};
use crate::engine::incident::Status;
use crate::engine::page::PageKind;
use crate::engine::urgency::Urgency;
use crate::text::one_line;

/// The whole body as an HTML document.
pub fn compose(order: &SendRequest, links: &Links) -> String {
    let message = &order.message;
    let mut html = Html::default();
    html.markup(HEAD);
    html.markup("<title>");
    html.text(&text::subject(message));
    html.markup("</title></head>").markup(BODY);
    match (message.kind, message.incidents.first()) {
        (PageKind::Bundle, _) | (_, None) => bundle(&mut html, order, links),
        (PageKind::Page | PageKind::Update { .. } | PageKind::Copy, Some(brief)) => {
            single(&mut html, order, links, brief);
        }
    }
    html.markup(END);
    html.0
}

fn single(html: &mut Html, order: &SendRequest, links: &Links, brief: &IncidentSummary) {
    let message = &order.message;
    let notice = message_text::notice(order);
    let joined = message_text::news(message).filter(|_| notice.is_none());
    let details = text::bundle_details(message, brief);
    let news = notice.as_ref().or(joined.as_ref());
    hidden_preview(html, news.unwrap_or(&details));
    html.markup(CARD).markup(bar(brief)).markup(INSIDE);
    emphasis(html, notice.as_deref());
    html.markup(tag_style(brief))
        .text(&message_text::tag(brief));
    html.markup("</p>").markup(TITLE);
    html.text(&message_text::title_and_count(brief))
        .markup("</h1>");
    emphasis(html, joined.as_deref());
    facts(html, &text::facts(message, brief));
    button(html, order, links, &button_text(order, brief));
    how(html, order, links);
    html.markup(RULE).markup(SMALL_HEADING);
    html.text(&text::alerts_heading(brief)).markup("</p>");
    lines(html, &message_text::alert_lines(brief));
    for block in text::sent(brief) {
        sent(html, &block);
    }
    further_links(html, brief);
    html.markup("</td></tr></table>");
}

/// What is new, set apart.
fn emphasis(html: &mut Html, news: Option<&str>) {
    if let Some(news) = news {
        html.markup(NEWS).text(news).markup("</p>");
    }
}

fn bundle(html: &mut Html, order: &SendRequest, links: &Links) {
    let message = &order.message;
    hidden_preview(html, &message_text::bundle_summary(message));
    let is_high = message
        .incidents
        .iter()
        .any(|brief| brief.urgency == Urgency::High);
    html.markup(CARD);
    html.markup(if is_high { BAR_HIGH } else { BAR_LOW });
    html.markup(INSIDE).markup(TITLE);
    html.text(&message_text::bundle_count(message))
        .markup("</h1>");
    facts(html, &[text::why(message)]);
    let all = format!("Acknowledge all {}", message.incidents_total);
    button(html, order, links, &all);
    how(html, order, links);
    html.markup(RULE);
    for brief in &message.incidents {
        bundle_line(html, message, brief);
    }
    if let Some(rest) = text::bundle_rest(message) {
        html.markup(SMALL_TEXT).text(&rest).markup("</p>");
    }
    html.markup("</td></tr></table>");
}

fn bundle_line(html: &mut Html, message: &Message, brief: &IncidentSummary) {
    html.markup(r#"<p style="margin:0 0 14px;font-size:16px;line-height:22px"><b>"#);
    html.text(&message_text::tag(brief)).markup("</b> ");
    html.text(&message_text::title_and_count(brief));
    html.markup(r#"<br><span class="quiet" style="color:#52525b;font-size:14px">"#);
    html.text(&text::bundle_details(message, brief));
    html.markup("</span></p>");
}

/// What a phone shows beside the subject before the mail is opened.
fn hidden_preview(html: &mut Html, text: &str) {
    html.markup(r#"<div style="display:none;max-height:0;overflow:hidden">"#);
    html.text(text).markup("</div>");
}

fn facts(html: &mut Html, facts: &[(&'static str, String)]) {
    html.markup(FACTS);
    for (name, value) in facts {
        html.markup(FACT_NAME).text(name);
        html.markup(FACT_VALUE).text(value).markup("</td></tr>");
    }
    html.markup("</table>");
}

fn button_text(order: &SendRequest, brief: &IncidentSummary) -> String {
    let number = brief.incident.number;
    if order.asks {
        format!("Acknowledge #{number}")
    } else {
        format!("Look at #{number}")
    }
}

fn button(html: &mut Html, order: &SendRequest, links: &Links, text: &str) {
    html.markup(r#"<a href=""#);
    html.text(&links.page(&order.message.token));
    html.markup(r#"" "#)
        .markup(BUTTON)
        .text(text)
        .markup("</a>");
}

fn how(html: &mut Html, order: &SendRequest, links: &Links) {
    if let Some(how) = message_text::how_to_acknowledge(order, links) {
        html.markup(SMALL_TEXT);
        // Our sentences set commands between backticks; no other text stands in them.
        for (at, piece) in how.split('`').enumerate() {
            match at % 2 {
                0 => html.text(piece),
                _ => html.markup(CODE).text(piece).markup("</code>"),
            };
        }
        html.markup("</p>");
    }
}

fn lines(html: &mut Html, lines: &[String]) {
    for line in lines {
        html.markup(r#"<p style="margin:0 0 8px;font-size:16px;line-height:22px">"#);
        html.text(line).markup("</p>");
    }
}

fn sent(html: &mut Html, block: &Block) {
    html.markup(SENT);
    if let Some(summary) = &block.summary {
        html.markup("<b>").text(summary).markup("</b><br>");
    }
    for (at, line) in block.lines.iter().enumerate() {
        html.markup(if at == 0 { "" } else { "<br>" }).text(line);
    }
    html.markup("</p>");
}

fn further_links(html: &mut Html, brief: &IncidentSummary) {
    for link in message_text::links_of(brief)
        .into_iter()
        .take(text::LINKS_MAX)
    {
        let text = link.text.as_deref().map(one_line);
        let text = text.filter(|text| !text.is_empty());
        html.markup(r#"<p style="margin:0 0 8px;font-size:16px;line-height:22px"><a href=""#);
        html.text(&link.href).markup(r#"" "#).markup(LINK);
        html.text(text.as_deref().unwrap_or(&link.href));
        html.markup("</a></p>");
    }
    if let Some(rest) = message_text::more_links(brief, text::LINKS_MAX) {
        html.markup(SMALL_TEXT).text(&rest).markup("</p>");
    }
}

/// The coloured bar tells the state before a word is read.
fn bar(brief: &IncidentSummary) -> &'static str {
    match (brief.status, brief.urgency) {
        (Status::Resolved, Urgency::High | Urgency::Low) => BAR_RESOLVED,
        (Status::Acknowledged, Urgency::High | Urgency::Low) => BAR_ACKNOWLEDGED,
        (Status::Triggered, Urgency::High) => BAR_HIGH,
        (Status::Triggered, Urgency::Low) => BAR_LOW,
    }
}

fn tag_style(brief: &IncidentSummary) -> &'static str {
    match (brief.status, brief.urgency) {
        (Status::Triggered, Urgency::High) => {
            r#"<p class="alarm" style="margin:0 0 6px;font-size:17px;font-weight:700;letter-spacing:.4px;color:#b91c1c">"#
        }
        (Status::Triggered, Urgency::Low)
        | (Status::Acknowledged | Status::Resolved, Urgency::High | Urgency::Low) => {
            r#"<p class="quiet" style="margin:0 0 6px;font-size:17px;font-weight:700;letter-spacing:.4px;color:#52525b">"#
        }
    }
}

/// A document under construction.
#[derive(Default)]
struct Html(String);

impl Html {
    /// Mark-up of ours; only literals, so nothing of others can come in here.
    fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Any text, for content and for quoted attribute values.
    fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }
}

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no">
<style>
:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
.page{background:#0b0b0d!important}
.card{background:#18181b!important;color:#f4f4f5!important}
.quiet{color:#a1a1aa!important}
.alarm{color:#f87171!important}
.news{background:#27272a!important}
.rule{border-color:#3f3f46!important}
.link{color:#93c5fd!important}
}
</style>"#;

const BODY: &str = r#"<body class="page" style="margin:0;padding:0;background:#f4f4f5;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;-webkit-text-size-adjust:100%">
"#;

const CARD: &str = r#"<table role="presentation" class="card" width="100%" cellspacing="0" cellpadding="0" style="max-width:600px;margin:0 auto;background:#ffffff;color:#18181b;border-collapse:collapse">"#;

const BAR_HIGH: &str =
    r#"<tr><td style="height:8px;background:#dc2626;font-size:0;line-height:0">&nbsp;</td></tr>"#;
const BAR_LOW: &str =
    r#"<tr><td style="height:8px;background:#d97706;font-size:0;line-height:0">&nbsp;</td></tr>"#;
const BAR_ACKNOWLEDGED: &str =
    r#"<tr><td style="height:8px;background:#2563eb;font-size:0;line-height:0">&nbsp;</td></tr>"#;
const BAR_RESOLVED: &str =
    r#"<tr><td style="height:8px;background:#16a34a;font-size:0;line-height:0">&nbsp;</td></tr>"#;

const INSIDE: &str =
    r#"<tr><td style="padding:22px 20px 28px;word-break:break-word;overflow-wrap:anywhere">"#;

const TITLE: &str =
    r#"<h1 style="margin:0 0 18px;font-size:25px;line-height:31px;font-weight:700">"#;

const NEWS: &str = r#"<p class="news" style="margin:0 0 18px;padding:12px 14px;border-radius:8px;background:#f4f4f5;font-size:18px;line-height:24px;font-weight:600">"#;

const FACTS: &str = r#"<table role="presentation" cellspacing="0" cellpadding="0" style="margin:0 0 22px;border-collapse:collapse;font-size:16px;line-height:22px">"#;
const FACT_NAME: &str = r#"<tr><td class="quiet" style="padding:3px 14px 3px 0;color:#52525b;vertical-align:top;white-space:nowrap">"#;
const FACT_VALUE: &str = r#"</td><td style="padding:3px 0;vertical-align:top">"#;

const BUTTON: &str = r#"rel="noopener noreferrer" style="display:block;padding:18px 16px;border-radius:10px;background:#1d4ed8;color:#ffffff;font-size:20px;line-height:24px;font-weight:700;text-align:center;text-decoration:none">"#;

const SMALL_TEXT: &str =
    r#"<p class="quiet" style="margin:12px 0 0;font-size:14px;line-height:20px;color:#52525b">"#;
const SMALL_HEADING: &str = r#"<p class="quiet" style="margin:0 0 10px;font-size:14px;line-height:20px;font-weight:600;color:#52525b">"#;
const SENT: &str = r#"<p class="quiet" style="margin:12px 0 14px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:14px;line-height:21px;color:#52525b">"#;
const CODE: &str = r#"<code style="font-family:ui-monospace,Menlo,Consolas,monospace">"#;
const LINK: &str = r#"class="link" rel="noopener noreferrer" style="color:#1d4ed8">"#;
const RULE: &str =
    r#"<div class="rule" style="margin:24px 0 18px;border-top:1px solid #e4e4e7"></div>"#;
const END: &str = "</body></html>\n";

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
        assert!(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
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
