//! A router against the ledgers of its clients.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::clients::{Api, matcher, rules};
use super::ledger::{Act, Ledger};

/// Fails unless everything answered is there and nothing else but acts that were under way, whole.
/// What became of those is noted: from then on it has to stay.
pub async fn settle(api: &Api, ledgers: &mut [Ledger]) {
    settle_receipts(api, ledgers).await;
    settle_what_pages(api, ledgers, true).await;
}

/// The same without history, which a damaged database may have lost.
pub async fn settle_what_is_active(api: &Api, ledgers: &mut [Ledger]) {
    settle_what_pages(api, ledgers, false).await;
}

async fn settle_what_pages(api: &Api, ledgers: &mut [Ledger], with_closed: bool) {
    settle_incidents(api, ledgers, with_closed).await;
    settle_silences(api, ledgers).await;
    settle_rules(api, &mut ledgers[0]).await;
    for ledger in ledgers {
        ledger.under_way = None;
    }
}

/// By their ids; none stands there twice.
fn by<K: Ord>(items: Vec<Value>, id: impl Fn(&Value) -> K) -> BTreeMap<K, Value> {
    let all = items.len();
    let by_id: BTreeMap<K, Value> = items.into_iter().map(|item| (id(&item), item)).collect();
    assert_eq!(by_id.len(), all, "one of them stands there twice");
    by_id
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Each is there as it was answered.
pub fn expect_receipt(seen: &Value, answered: &Value) {
    for field in ["id", "dedup_key", "disposition", "incidents"] {
        assert_eq!(seen[field], answered[field], "{answered}");
    }
}

async fn settle_receipts(api: &Api, ledgers: &mut [Ledger]) {
    let ours = api.list("/v1/receipts").await.into_iter();
    let ours = ours.filter(|receipt| receipt["integration"] == "native");
    let id = |receipt: &Value| receipt["id"].as_str().unwrap().to_owned();
    let mut unknown = by(ours.collect(), id);
    for ledger in &*ledgers {
        for (id, answered) in &ledger.receipts {
            let seen = unknown.remove(id);
            let seen = seen.unwrap_or_else(|| panic!("lost, or given twice: {answered}"));
            expect_receipt(&seen, answered);
        }
    }
    for ledger in ledgers {
        let keys = match ledger.under_way.clone() {
            Some(Act::Trigger(keys)) => keys,
            Some(Act::Repeat(key) | Act::Resolve(key, _)) => vec![key],
            _ => Vec::new(),
        };
        let is_of = |receipt: &Value| keys.iter().any(|key| receipt["dedup_key"] == **key);
        let found: Vec<Value> = unknown.values().filter(|it| is_of(it)).cloned().collect();
        let is_whole = found.is_empty() || found.len() == keys.len();
        assert!(is_whole, "of {keys:?} only {found:#?}");
        for receipt in &found {
            unknown.remove(&id(receipt));
            ledger.note_receipt(receipt);
        }
        // A receipt and what it did are there together.
        if let (Some(Act::Resolve(_, incident)), false) = (&ledger.under_way, found.is_empty()) {
            let incident = *incident;
            ledger.set_status(incident, "resolved");
        }
    }
    assert!(unknown.is_empty(), "nobody asked for {unknown:#?}");
}

async fn settle_incidents(api: &Api, ledgers: &mut [Ledger], with_closed: bool) {
    let ours = api.list("/v1/incidents").await.into_iter();
    let ours = ours.filter(|incident| incident["integration"] == "native");
    let mut unknown = by(ours.collect(), |incident| number(&incident["number"]));
    for ledger in ledgers {
        let known: Vec<u64> = ledger.incidents.keys().copied().collect();
        for number in known {
            let expected = ledger.expected_status(number);
            let Some(seen) = unknown.remove(&number) else {
                let may_be_lost = !with_closed && expected.contains(&"resolved");
                assert!(may_be_lost, "#{number} is lost, or was given twice");
                continue;
            };
            let status = seen["status"].as_str().unwrap();
            let status = expected.iter().find(|known| **known == status);
            let status = status.unwrap_or_else(|| panic!("not {expected:?}: {seen}"));
            assert_eq!(seen["title"], ledger.incidents[&number].key, "#{number}");
            ledger.set_status(number, status);
        }
    }
    let unknown: Vec<_> = unknown
        .into_values()
        .map(|it| it["title"].clone())
        .collect();
    assert!(unknown.is_empty(), "nobody asked for incidents {unknown:?}");
}

async fn settle_silences(api: &Api, ledgers: &mut [Ledger]) {
    let set = api.list("/v1/silences").await;
    let mut unknown = by(set, |silence| number(&silence["id"]));
    for ledger in &mut *ledgers {
        let known = ledger.silences.clone();
        for (id, silence) in known {
            let seen = unknown.remove(&id);
            let may_have_ended = silence.has_ended
                || matches!(ledger.under_way, Some(Act::EndSilence(it)) if it == id);
            match seen {
                Some(seen) => {
                    assert!(!silence.has_ended, "it ended: {seen}");
                    assert_eq!(seen["reason"], silence.reason, "{seen}");
                    assert_eq!(seen["matchers"][0], matcher(&silence.reason), "{seen}");
                }
                None if may_have_ended => ledger.end_silence(id),
                None => panic!("silence {id} is lost"),
            }
        }
        if let Some(Act::Silence(reason)) = ledger.under_way.clone() {
            let mut found = unknown.iter().filter(|(_, it)| it["reason"] == reason);
            let found = found.next().map(|(id, _)| *id);
            if let Some(id) = found {
                let seen = unknown.remove(&id).unwrap();
                assert_eq!(seen["matchers"][0], matcher(&reason), "{seen}");
                ledger.note_silence(id, reason);
            }
        }
    }
    assert!(unknown.is_empty(), "nobody asked for {unknown:#?}");
}

async fn settle_rules(api: &Api, ledger: &mut Ledger) {
    let seen = api.get("/v1/rules").await;
    let (revision, text) = (number(&seen["revision"]), &seen["files"][0]["text"]);
    let (last, name) = ledger.rules.clone().unwrap_or((1, "Ana Silva".to_owned()));
    if revision == last {
        assert_eq!(*text, rules(&name), "revision {revision}");
        return;
    }
    let Some(Act::Rules(name)) = ledger.under_way.clone() else {
        panic!("revision {revision} is in force and not {last}");
    };
    assert_eq!(*text, rules(&name), "revision {revision}");
    ledger.note_rules(revision, name);
}

/// No number was given to two clients, and every receipt is found by its id.
pub async fn look_up(api: &Api, ledgers: &[Ledger]) {
    let mut numbers = BTreeSet::new();
    for ledger in ledgers {
        for number in ledger.incidents.keys() {
            assert!(numbers.insert(*number), "#{number} was given twice");
        }
        for (id, answered) in &ledger.receipts {
            let seen = api.get(&format!("/v1/receipts/{id}")).await;
            expect_receipt(&seen, answered);
        }
        for (id, silence) in &ledger.silences {
            let seen = api.get(&format!("/v1/silences/{id}")).await;
            assert_eq!(seen["reason"], silence.reason, "{seen}");
            assert_eq!(!seen["ended_at"].is_null(), silence.has_ended, "{seen}");
        }
    }
}
