//! Whatever is committed, both stores show the same.

use proptest::prelude::*;

use crate::engine::alert::Alert;
use crate::engine::entry_body::PersonEntry;
use crate::engine::ids::{AlertId, RouteName};
use crate::engine::incident::Incident;
use crate::engine::page::Page;

use super::*;

/// One change, with small ids so that changes meet.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Put { what: u8, id: u64, kilobytes: u8 },
    Drop { what: u8, id: u64 },
    Archive { what: u8, id: u64, kilobytes: u8 },
    Receipt { kilobytes: u8 },
    Entry { incident: u64, kilobytes: u8 },
    Document { name: u8, kilobytes: Option<u8> },
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![8 => Just(0_u8), 1 => 1..40_u8];
    let id = 1..4_u64;
    prop_oneof![
        (0..4_u8, id.clone(), size()).prop_map(|(what, id, kilobytes)| Step::Put {
            what,
            id,
            kilobytes
        }),
        (0..4_u8, id.clone()).prop_map(|(what, id)| Step::Drop { what, id }),
        (0..3_u8, id.clone(), size()).prop_map(|(what, id, kilobytes)| Step::Archive {
            what,
            id,
            kilobytes
        }),
        size().prop_map(|kilobytes| Step::Receipt { kilobytes }),
        (id, size()).prop_map(|(incident, kilobytes)| Step::Entry {
            incident,
            kilobytes
        }),
        (0..3_u8, proptest::option::of(size()))
            .prop_map(|(name, kilobytes)| Step::Document { name, kilobytes }),
    ]
}

fn filler(kilobytes: u8) -> String {
    "x".repeat(usize::from(kilobytes) * 1024)
}

fn archived(what: u8, id: u64, kilobytes: u8) -> Archived {
    match what {
        0 => {
            let mut alert = samples::alert(id);
            alert.dedup_key = filler(kilobytes).into();
            Archived::Alert(alert.into())
        }
        1 => {
            let mut incident = samples::incident(id);
            incident.title = filler(kilobytes).into();
            Archived::Incident(incident.into())
        }
        _ => {
            let mut page = samples::page(id, &[id, id + 1]);
            page.address = filler(kilobytes).into();
            Archived::Page(page.into())
        }
    }
}

fn record(what: u8, id: u64, kilobytes: u8) -> Record {
    match what {
        0..3 => archived(what, id, kilobytes).record(),
        _ => Record::Person(samples::person(&format!("user-{id}")).into()),
    }
}

/// Turns steps into a batch; receipts and entries get increasing ids.
pub fn batch(steps: &[Step], next_id: &mut u64) -> Batch {
    let mut batch = Batch::default();
    for step in steps {
        *next_id += 1;
        let change = match *step {
            Step::Put {
                what,
                id,
                kilobytes,
            } => Change::Put(record(what, id, kilobytes)),
            Step::Drop { what, id } => Change::Drop(record(what, id, 0).key()),
            Step::Archive {
                what,
                id,
                kilobytes,
            } => Change::Archive(archived(what, id, kilobytes)),
            Step::Receipt { kilobytes } => {
                let mut receipt = samples::receipt(*next_id, START);
                receipt.routes = vec![RouteName::from(filler(kilobytes))];
                receipt_change(receipt)
            }
            Step::Entry {
                incident,
                kilobytes,
            } => {
                let mut entry = samples::entry(incident, *next_id);
                entry.body = PersonEntry::Noted(filler(kilobytes).into()).into();
                Change::Entry(entry.into())
            }
            Step::Document { name, kilobytes } => {
                batch.documents.push(DocumentWrite {
                    kind: DocumentKind::Rules,
                    name: format!("{name}"),
                    bytes: kilobytes.map(|size| filler(size).into_bytes()),
                });
                continue;
            }
        };
        batch.changes.push(change);
    }
    batch.clocks.steady = MonotonicTime(*next_id);
    batch
}

/// All that can be seen of a store.
#[derive(Debug, PartialEq)]
pub struct Seen {
    clocks: Clocks,
    active: BTreeMap<RecordKey, Record>,
    remembered: Vec<Arc<Receipt>>,
    receipts: Vec<Receipt>,
    stories: Vec<Vec<Entry>>,
    incidents: Vec<Incident>,
    pages: Vec<Vec<Page>>,
    alerts: Vec<Vec<Alert>>,
    documents: Vec<(String, Vec<u8>)>,
}

pub fn see(store: &dyn Store) -> Seen {
    let start = store.load(HOME, START).unwrap();
    let numbers = || (1..6).map(IncidentNumber);
    let story = |number| store.entries(HOME, number, None, 1_000).unwrap();
    let pages = |number| store.closed_pages(HOME, number, Span::ALL, 1_000).unwrap();
    let alerts = |number| store.closed_alerts(HOME, number, Span::ALL, 1_000).unwrap();
    let documents = store.documents(DocumentKind::Rules, None, 1_000);
    Seen {
        clocks: start.clocks,
        active: loaded(store),
        remembered: start.receipts,
        receipts: store.receipts(HOME, None, 1_000).unwrap(),
        stories: numbers().map(story).collect(),
        incidents: store.closed_incidents(HOME, None, 1_000).unwrap(),
        pages: numbers().map(pages).collect(),
        alerts: (1..10).map(IncidentNumber).map(alerts).collect(),
        documents: documents.unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_stores_show_the_same_before_and_after_a_restart(
        batches in proptest::collection::vec(proptest::collection::vec(step(), 0..12), 1..8),
    ) {
        let memory = InMemory::fresh();
        let disk = OnDisk::fresh();
        let mut next_id = 0;
        for steps in &batches {
            let batch = batch(steps, &mut next_id);
            commit_batch(memory.store(), &batch);
            commit_batch(disk.store(), &batch);
        }
        let expected = see(memory.store());
        prop_assert_eq!(&see(disk.store()), &expected);
        prop_assert_eq!(&see(disk.reopened().store()), &expected);
        prop_assert_eq!(&see(memory.reopened().store()), &expected);
    }
}

#[test]
fn what_is_seen_tells_stores_apart() {
    let empty = InMemory::fresh();
    let other = InMemory::fresh();
    let alert = Archived::Alert(samples::alert(AlertId(1).0).into());
    commit(other.store(), vec![Change::Archive(alert)]);
    assert_ne!(see(empty.store()), see(other.store()));
}
