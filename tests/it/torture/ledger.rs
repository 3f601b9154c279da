//! What one client was answered, and what it asked for and was not answered.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dice::Dice;

/// What a client asks for.
#[derive(Clone, Debug)]
pub enum Act {
    /// New alerts, all in one request.
    Trigger(Vec<String>),
    Repeat(String),
    Resolve(String, u64),
    Acknowledge(u64),
    /// A silence with this reason.
    Silence(String),
    EndSilence(u64),
    /// Rules in which this name stands.
    Rules(String),
}

/// An incident as its client knows it.
#[derive(Clone, Debug)]
pub struct Incident {
    /// The dedup key of its one alert, and its title.
    pub key: String,
    pub status: &'static str,
}

/// A silence as its client knows it.
#[derive(Clone, Debug)]
pub struct Silence {
    pub reason: String,
    pub has_ended: bool,
}

/// Of one client; it outlives the processes.
#[derive(Debug)]
pub struct Ledger {
    pub name: String,
    /// Only one client changes the rules, so that it knows which are in force.
    changes_rules: bool,
    asked: u64,
    pub receipts: BTreeMap<String, Value>,
    pub incidents: BTreeMap<u64, Incident>,
    pub silences: BTreeMap<u64, Silence>,
    /// The newest revision, and the name that stands in it.
    pub rules: Option<(u64, String)>,
    pub under_way: Option<Act>,
}

impl Ledger {
    pub fn new(name: &str, changes_rules: bool) -> Self {
        Self {
            name: name.to_owned(),
            changes_rules,
            asked: 0,
            receipts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            silences: BTreeMap::new(),
            rules: None,
            under_way: None,
        }
    }

    /// What to ask for next.
    pub fn choose(&mut self, dice: &mut Dice) -> Act {
        self.asked += 1;
        let name = format!("{}-{}", self.name, self.asked);
        let open = self.incidents.iter();
        let open: Vec<_> = open.filter(|(_, it)| it.status != "resolved").collect();
        let triggered = open.iter().filter(|(_, it)| it.status == "triggered");
        let triggered: Vec<u64> = triggered.map(|(number, _)| **number).collect();
        let set = self.silences.iter().filter(|(_, it)| !it.has_ended);
        let set: Vec<u64> = set.map(|(id, _)| *id).collect();
        let one_open = dice.pick(&open).map(|(number, it)| (**number, &it.key));
        let chosen = match (dice.below(12), one_open) {
            (0, Some((_, key))) => Some(Act::Repeat(key.clone())),
            (1 | 2, Some((number, key))) => Some(Act::Resolve(key.clone(), number)),
            (3..=5, _) => dice.pick(&triggered).copied().map(Act::Acknowledge),
            (6, _) => Some(Act::Silence(name.clone())),
            (7, _) => dice.pick(&set).copied().map(Act::EndSilence),
            (8, _) if self.changes_rules => Some(Act::Rules(name.clone())),
            (9, _) => {
                let keys = (0..3).map(|part| format!("{name}-{part}"));
                Some(Act::Trigger(keys.collect()))
            }
            _ => None,
        };
        chosen.unwrap_or(Act::Trigger(vec![name]))
    }

    /// Notes the answer to an act.
    pub fn note(&mut self, act: Act, answer: &Value) {
        match act {
            Act::Trigger(keys) => {
                let receipts = answer["receipts"].as_array().unwrap();
                assert_eq!(receipts.len(), keys.len(), "{answer}");
                for (receipt, key) in receipts.iter().zip(&keys) {
                    assert_eq!(receipt["dedup_key"], **key, "{answer}");
                    self.note_receipt(receipt);
                }
            }
            Act::Repeat(_) => self.note_receipt(&answer["receipts"][0]),
            Act::Resolve(_, number) => {
                self.note_receipt(&answer["receipts"][0]);
                self.set_status(number, "resolved");
            }
            Act::Acknowledge(number) => self.set_status(number, "acknowledged"),
            Act::Silence(reason) => self.note_silence(answer["id"].as_u64().unwrap(), reason),
            Act::EndSilence(id) => self.end_silence(id),
            Act::Rules(name) => self.note_rules(answer["revision"].as_u64().unwrap(), name),
        }
    }

    /// A receipt, and the incident that it opened.
    pub fn note_receipt(&mut self, receipt: &Value) {
        let id = receipt["id"].as_str().unwrap().to_owned();
        let before = self.receipts.insert(id, receipt.clone());
        assert!(before.is_none(), "given twice: {receipt}");
        if receipt["disposition"] == "opened" {
            let incident = Incident {
                key: receipt["dedup_key"].as_str().unwrap().to_owned(),
                status: "triggered",
            };
            let number = receipt["incident"].as_u64().unwrap();
            let before = self.incidents.insert(number, incident);
            assert!(before.is_none(), "given twice: {receipt}");
        }
    }

    pub fn set_status(&mut self, number: u64, status: &'static str) {
        self.incidents.get_mut(&number).unwrap().status = status;
    }

    pub fn note_silence(&mut self, id: u64, reason: String) {
        let silence = Silence {
            reason,
            has_ended: false,
        };
        let before = self.silences.insert(id, silence);
        assert!(before.is_none(), "silence {id} was given twice");
    }

    pub fn end_silence(&mut self, id: u64) {
        self.silences.get_mut(&id).unwrap().has_ended = true;
    }

    pub fn note_rules(&mut self, revision: u64, name: String) {
        let last = self.rules.as_ref().map_or(1, |(last, _)| *last);
        assert_eq!(revision, last + 1, "revisions follow one another");
        self.rules = Some((revision, name));
    }

    /// What an incident may be: as it was answered, or as the act under way would make it.
    pub fn expected_status(&self, number: u64) -> Vec<&'static str> {
        let known = self.incidents[&number].status;
        match self.under_way {
            Some(Act::Resolve(_, of)) if of == number => vec![known, "resolved"],
            Some(Act::Acknowledge(of)) if of == number => vec![known, "acknowledged"],
            _ => vec![known],
        }
    }
}
