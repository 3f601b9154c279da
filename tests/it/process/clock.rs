//! A start under a clock that is far ahead: nothing is purged until an admin confirms it.

use reveille::engine::event::Action;
use reveille::engine::ids::ReceiptId;
use reveille::engine::reason::Reason;
use reveille::engine::records::{Change, Disposition, Receipt};
use reveille::engine::time::{Duration, MonotonicTime, Timestamp};
use reveille::runtime::clock::wall_now;
use reveille::store::{Batch, Clocks, Options, Partition, SledStore, Store};

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::{FakeHttp, Reply};

fn receipt(at: Timestamp) -> Receipt {
    Receipt {
        id: ReceiptId(9_000),
        at,
        integration: "native".into(),
        action: Action::Trigger,
        dedup_key: "db".into(),
        event_id: None,
        disposition: Disposition::Repeated,
        incidents: Vec::new(),
        reason: Reason::Repeat,
        routes: Vec::new(),
        faults: Vec::new(),
        source_time: None,
        content: None,
    }
}

/// The last commit is made one of 490 days ago, with a receipt of that time.
fn backdate(place: &Place) {
    let wall = wall_now().minus(Duration::days(490));
    let store = SledStore::open(&place.path().join("data"), Options::default()).unwrap();
    let batch = Batch {
        changes: vec![Change::Receipt(receipt(wall).into())],
        clocks: Clocks {
            wall,
            steady: MonotonicTime(1_000_000),
        },
        ..Batch::default()
    };
    let epoch = store.claim(Partition(0)).unwrap();
    store.commit(Partition(0), epoch, &batch).unwrap();
}

async fn receipts(server: &Server) -> usize {
    let answer = server.get("/v1/receipts").await;
    answer["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_far_ahead_of_the_last_commit_purges_nothing_until_an_admin_confirms_the_clock() {
    let service = FakeHttp::start(|_| Reply::new(200, "")).await;
    let settings = format!("[watch]\nheartbeat_url = \"{}/ping\"\n", service.url());
    let place = Place::new(&settings, ONE_PERSON);
    let server = place.start().await;
    service.next().await;
    assert!(server.stop().await.success());
    backdate(&place);

    // The heartbeat is called after the purge of its round.
    let server = place.start().await;
    service.next().await;
    assert_eq!(receipts(&server).await, 1);
    let open = server.get("/v1/incidents").await;
    assert_eq!(open["items"][0]["labels"]["cause"], "clock", "{open}");
    assert!(server.stop().await.success());

    let server = place.start().await;
    service.next().await;
    assert_eq!(receipts(&server).await, 1, "a second start is no better");
    let said = place.run(&["clock", "confirm"]);
    assert!(
        said.contains("jumped ahead by 489d") || said.contains("by 490d"),
        "{said}"
    );
    let audit = server.get("/v1/audit").await;
    assert_eq!(audit["items"][0]["action"], "clock_confirmed", "{audit}");
    let said = place.run(&["clock", "confirm"]);
    assert!(said.contains("no clock jump is pending"), "{said}");
    assert!(server.stop().await.success());

    let server = place.start().await;
    service.next().await;
    assert_eq!(receipts(&server).await, 0, "purged after it was confirmed");
}
