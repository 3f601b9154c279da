//! A bundled page of the real binary, as its person gets it: its mail, its link page, its message
//! in Slack with the buttons. The one wait of real time is that of the bundle for its incidents.

use reveille::runtime::clock::wall_now;
use serde_json::{Value, json};

use super::server::{CHAT, MAIL, NATIVE, Place, Server, one_person};
use crate::harness::http::{Call, client};
use crate::harness::mime::Entity;
use crate::harness::slack::{self, FakeSlack, Press};
use crate::harness::smtp::FakeSmtp;

fn settings(slack: &FakeSlack, mail: &FakeSmtp) -> String {
    format!(
        "page_limit = 1\n\
         [[channel]]\nname = \"slack\"\nkind = \"slack\"\ntoken = \"{}\"\n\
         signing_secret = \"{}\"\napi_url = \"{}\"\n\
         [[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\n\
         tls = \"none\"\nfrom = \"pager@example.com\"\n",
        slack::TOKEN,
        slack::SIGNING_SECRET,
        slack.api_url(),
        mail.address.port(),
    )
}

async fn report(server: &Server, host: &str) {
    let event = json!({"summary": format!("disk full on {host}"), "severity": "critical",
        "dedup_key": host});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202);
}

/// The statuses of these incidents, in their order.
async fn statuses(server: &Server, numbers: &[u64]) -> Vec<String> {
    let mut statuses = Vec::new();
    for number in numbers {
        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        statuses.push(incident["status"].as_str().unwrap().to_owned());
    }
    statuses
}

/// The button of a message that acknowledges.
fn acknowledge_button(post: &Call) -> Value {
    let message = post.json();
    let blocks = message["blocks"].as_array().unwrap();
    let mut buttons = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array())
        .flatten();
    let button = buttons.find(|button| button["action_id"] == "acknowledge");
    button
        .unwrap_or_else(|| panic!("no button: {message}"))
        .clone()
}

/// The link of a mail to its page.
fn link(server: &Server, mail: &Entity) -> String {
    let text: String = mail.parts().iter().map(Entity::text).collect();
    let start = text.find(&format!("{}/a/", server.url)).unwrap();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

async fn look(link: &str) -> String {
    let answer = client().get(link).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

fn offers(page: &str, number: u64) -> bool {
    page.contains(&format!("name=\"one\" value=\"{number}\""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_acknowledged_one_by_one_on_its_page_and_as_a_whole_in_slack() {
    let (slack, mail) = (FakeSlack::start().await, FakeSmtp::start().await);
    let rules = one_person(&format!("{CHAT}\n      {MAIL}"), NATIVE);
    let place = Place::new(&settings(&slack, &mail), &rules);
    let server = place.start().await;
    report(&server, "db1").await;
    slack.http.next().await;
    mail.next().await;
    for host in ["db2", "db3", "db4"] {
        report(&server, host).await;
    }
    let posted = slack.http.next().await;
    assert!(posted.path().ends_with("/chat.postMessage"), "{posted:?}");
    assert!(posted.body.contains("disk full on db4"), "{posted:?}");
    let bundle = mail.next().await.entity;

    let link = link(&server, &bundle);
    let page = look(&link).await;
    for number in [2, 3, 4] {
        assert!(offers(&page, number), "#{number}: {page}");
    }
    assert!(!offers(&page, 1), "{page}");
    let form = client().post(&link).body("one=3");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    // The answer leads back to the page.
    assert_eq!(form.send().await.unwrap().status(), 200);
    let expected = ["triggered", "triggered", "acknowledged", "triggered"];
    assert_eq!(statuses(&server, &[1, 2, 3, 4]).await, expected);
    let page = look(&link).await;
    assert!(
        offers(&page, 2) && !offers(&page, 3) && offers(&page, 4),
        "{page}"
    );
    let edit = slack.http.next().await;
    assert!(edit.path().ends_with("/chat.update"), "{edit:?}");
    assert!(edit.body.contains("Acknowledge all"), "two wait: {edit:?}");

    let button = acknowledge_button(&posted);
    let press = Press {
        button: &button,
        user: "U024BE7LH",
        place: "D024BE7LH",
    };
    let body = press.body();
    let headers = slack::signed(&body, slack::SIGNING_SECRET, wall_now());
    let answered = slack::post_actions(&server.url, &body, &headers).await;
    assert_eq!(answered, 200);
    let expected = ["triggered", "acknowledged", "acknowledged", "acknowledged"];
    assert_eq!(statuses(&server, &[1, 2, 3, 4]).await, expected);
    let edit = slack.http.next().await;
    assert!(edit.path().ends_with("/chat.update"), "{edit:?}");
    assert_eq!(edit.json()["ts"], "1503435956.000002");
    assert!(!edit.body.contains("Acknowledge all"), "{edit:?}");
    assert!(!offers(&look(&link).await, 2));
}
