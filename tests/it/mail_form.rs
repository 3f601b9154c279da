//! How a mail looks to whoever gets it: two forms, one thread, no way in for foreign headers.

use reveille::channels::email::{Email, Settings};
use reveille::engine::decision::{SendRequest, ThreadRef};
use reveille::engine::ids::{AttemptId, PageId};
use reveille::engine::outcome::Outcome;
use reveille::engine::page::PageKind;
use reveille::engine::urgency::Urgency;

use crate::harness::mime::Entity;
use crate::harness::orders;
use crate::harness::smtp::{FakeSmtp, Reply, Stage};
use crate::mail_outcomes::{channel, links, settings};

async fn relay_and_channel() -> (FakeSmtp, Email) {
    let relay = FakeSmtp::start().await;
    let email = channel(Settings {
        reply_to: Some("oncall@example.com".to_owned()),
        ..settings(&relay)
    });
    (relay, email)
}

async fn mail_for(order: &SendRequest) -> Entity {
    let (relay, email) = relay_and_channel().await;
    assert_eq!(orders::send(&email, order).await.outcome, Outcome::Accepted);
    relay.next().await.entity
}

#[tokio::test]
async fn a_page_is_plain_text_first_and_html_second_with_the_same_link() {
    let order = orders::page(1042, "disk full on db1");
    let link = links().page(&order.message.token);
    let mail = mail_for(&order).await;
    let kind = mail.header("Content-Type").unwrap();
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    let parts = mail.parts();
    let kinds: Vec<&str> = parts
        .iter()
        .map(|part| part.header("Content-Type").unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["text/plain; charset=utf-8", "text/html; charset=utf-8"]
    );
    let text = parts[0].text();
    let must_say = [
        "HIGH #1042 disk full on db1\n",
        "payments-api",
        "Tue 12 May 03:10 WEST",
        "route payments-critical → policy payments, step 1 → schedule payments-primary",
        "reveille ack 1042",
        &link,
    ];
    for words in must_say {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(parts[1].text().contains(&format!("href=\"{link}\"")));
}

#[tokio::test]
async fn the_headers_say_that_a_machine_writes_and_how_pressing_it_is() {
    let mut order = orders::page(1042, "disk full on db1");
    let mail = mail_for(&order).await;
    let expected = [
        ("Subject", "[HIGH] #1042 disk full on db1"),
        ("From", "Reveille <pager@example.com>"),
        ("To", "\"Ana Silva\" <ana@example.com>"),
        ("Reply-To", "oncall@example.com"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("X-Priority", "1"),
        ("Importance", "high"),
    ];
    for (name, value) in expected {
        assert_eq!(mail.header(name), Some(value), "{name}");
    }
    assert!(mail.header("Date").is_some());
    let mut notice = order.clone();
    notice.asks = false;
    order.urgency = Urgency::Low;
    for order in [order, notice] {
        let calm = mail_for(&order).await;
        let pressing = ["X-Priority", "Importance"].map(|name| calm.header(name));
        assert_eq!(pressing, [None, None], "{order:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_repeated_keeps_its_message_id() {
    let (relay, email) = relay_and_channel().await;
    relay.script([Reply::silence(Stage::Dot)]);
    let mut order = orders::page(1042, "disk full on db1");
    order.deadline = reveille::engine::time::Duration(700);
    assert_eq!(orders::send(&email, &order).await.outcome, Outcome::Unknown);
    order.attempt = AttemptId(2);
    let sent = orders::send(&email, &order).await;
    let first = relay.next().await.entity;
    let second = relay.next().await.entity;
    let id = first.header("Message-ID").unwrap();
    assert_eq!(second.header("Message-ID"), Some(id));
    assert_eq!(sent.reference.as_deref(), Some(id));
}

#[tokio::test]
async fn a_notice_stands_in_the_thread_of_its_page() {
    let (relay, email) = relay_and_channel().await;
    let page = orders::page(1042, "disk full on db1");
    let reference = orders::send(&email, &page).await.reference.unwrap();
    let mut notice = orders::acknowledged(1042, "disk full on db1");
    notice.thread = Some(ThreadRef::Thread(reference.as_str().into()));
    orders::send(&email, &notice).await;
    let page = relay.next().await.entity;
    let notice = relay.next().await.entity;
    let root = page.header("In-Reply-To").unwrap();
    assert_eq!(notice.header("In-Reply-To"), Some(root));
    assert_eq!(
        notice.header("References"),
        Some(&*format!("{root} {reference}"))
    );
    assert_eq!(notice.header("Subject"), page.header("Subject"));
    assert_ne!(notice.header("Message-ID"), page.header("Message-ID"));
    let text = notice.parts()[0].text();
    assert!(
        text.contains("Acknowledged by Bo Larsen at 03:12"),
        "{text}"
    );
}

#[tokio::test]
async fn what_others_wrote_makes_no_header_and_no_end_of_the_text() {
    let title = "disk\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com> é\0";
    let mut order = orders::page(1042, title);
    order.message.recipient_name = Some("Ana\r\nBcc: eve@example.com".into());
    let mail = mail_for(&order).await;
    assert_eq!(mail.header("Bcc"), None);
    assert_eq!(
        mail.header("Subject"),
        Some("[HIGH] #1042 disk Bcc: eve@example.com . MAIL FROM:<eve@example.com> é")
    );
    assert_eq!(mail.parts().len(), 2);
    let mut names = mail.header_names();
    names.sort_unstable();
    let expected = [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "Importance",
        "In-Reply-To",
        "MIME-Version",
        "Message-ID",
        "References",
        "Reply-To",
        "Subject",
        "To",
        "X-Auto-Response-Suppress",
        "X-Priority",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_refused_form_is_repeated_as_plain_text_alone() {
    let mut order = orders::page(1042, "disk full on db1");
    order.plain_text_only = true;
    let mail = mail_for(&order).await;
    assert_eq!(
        mail.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(mail.text().contains(&links().page(&order.message.token)));
}

#[tokio::test]
async fn a_repetition_is_the_same_mail_to_the_last_byte() {
    let mut order = orders::page(1042, "disk full on db1");
    let first = mail_for(&order).await;
    order.attempt = AttemptId(2);
    let again = mail_for(&order).await;
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
}

#[tokio::test]
async fn two_bundled_mails_have_different_subjects() {
    let mut first = orders::page(7, "disk full on db1");
    first.message.kind = PageKind::Bundle;
    let mut second = first.clone();
    second.page = PageId(8);
    let subject = async |order| mail_for(&order).await.header("Subject").map(str::to_owned);
    let (first, second) = (subject(first).await, subject(second).await);
    assert!(
        first
            .as_deref()
            .is_some_and(|text| text.ends_with("(page 7)")),
        "{first:?}"
    );
    assert_ne!(first, second);
}
