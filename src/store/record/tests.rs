//! The golden files pin what is stored.

use std::fmt::Debug;
use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::engine::samples;
use crate::engine::time::MonotonicTime;
use crate::store::keys::Key;
use crate::store::{Clocks, Partition};

const HOME: Partition = Partition(0);

fn folder(format: u8) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join(format!("tests/fixtures/store/v{format}"))
}

/// With `REVEILLE_BLESS=1` the files of the present format are written anew.
fn check_golden<T>(name: &str, samples: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let path = folder(FORMAT).join(format!("{name}.json"));
    let now = serde_json::to_value(samples).unwrap();
    if std::env::var_os("REVEILLE_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&now).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} is missing: {error}", path.display()));
    let golden: Value = serde_json::from_str(&golden).unwrap();
    assert_eq!(
        now, golden,
        "the stored form of {name} has changed: raise FORMAT, add golden files for it, and keep \
         the old form readable"
    );
    for (sample, golden) in samples.iter().zip(golden.as_array().unwrap()) {
        let mut bytes = vec![FORMAT, 0, 0, 0, 0];
        bytes.extend_from_slice(golden.to_string().as_bytes());
        let read: T = decode(b"", &bytes).unwrap();
        assert_eq!(read, *sample);
    }
}

#[test]
fn the_stored_form_of_every_kind_is_as_pinned() {
    check_golden("alert", &[samples::alert(2)]);
    check_golden("incident", &samples::incidents());
    check_golden("page", &samples::pages());
    check_golden("group", &[samples::group()]);
    check_golden("person", &[samples::person("ana")]);
    check_golden("channel", &[samples::channel()]);
    check_golden("sender", &[samples::sender()]);
    check_golden("silence", &[samples::silence()]);
    check_golden("override", &[samples::override_()]);
    check_golden("pinned", &[samples::pinned()]);
    check_golden("counters", &[samples::counters(5)]);
    check_golden("jump", &[samples::jump()]);
    let receipts = [
        samples::receipt(6, samples::START),
        samples::repeat_receipt(7, samples::START),
    ];
    check_golden("receipts", &receipts);
    check_golden("entries", &samples::entries());
    let progress = Progress {
        layout: LAYOUT,
        commits: 2,
        history_bytes: 3,
    };
    check_golden("progress", &[progress]);
    let clocks = Clocks {
        wall: samples::START,
        steady: MonotonicTime(4),
    };
    check_golden("clocks", &[clocks]);
}

#[test]
fn golden_files_of_every_format_so_far_can_be_read() {
    fn read<T: Stored>(format: u8, name: &str) {
        let path = folder(format).join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).unwrap();
        let all: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert!(!all.is_empty(), "{} holds nothing", path.display());
        for value in all {
            let mut bytes = vec![format, 0, 0, 0, 0];
            bytes.extend_from_slice(value.to_string().as_bytes());
            decode::<T>(name.as_bytes(), &bytes).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    for format in 1..=FORMAT {
        use crate::engine::{alert, calendar, incident, page, records};
        read::<alert::Alert>(format, "alert");
        read::<incident::Incident>(format, "incident");
        read::<page::Page>(format, "page");
        read::<records::Group>(format, "group");
        read::<records::Person>(format, "person");
        read::<crate::engine::channel_state::ChannelState>(format, "channel");
        read::<records::Sender>(format, "sender");
        read::<records::Silence>(format, "silence");
        read::<calendar::Override>(format, "override");
        read::<records::PolicySnapshot>(format, "pinned");
        read::<crate::engine::counters::Counters>(format, "counters");
        read::<records::UnconfirmedJump>(format, "jump");
        read::<records::Receipt>(format, "receipts");
        read::<records::Entry>(format, "entries");
        read::<Progress>(format, "progress");
        read::<Clocks>(format, "clocks");
    }
}

#[test]
fn bundles_that_were_stored_under_their_earlier_words_can_be_read() {
    use crate::engine::page::PageKind;
    use crate::engine::reason::Reason;
    fn read<T: Stored>(json: &str) -> T {
        decode(b"", &[&[FORMAT, 0, 0, 0, 0], json.as_bytes()].concat()).unwrap()
    }
    let person: crate::engine::records::Person =
        read(r#"{"user":"ana","paged":[1000],"fold_due":2000,"folded":3000,"last_folded":4}"#);
    assert_eq!(person.bundle_due, Some(MonotonicTime(2_000)));
    assert_eq!(person.bundled, Some(MonotonicTime(3_000)));
    assert_eq!(person.last_bundle, Some(crate::engine::ids::PageId(4)));
    assert_eq!(read::<PageKind>(r#""folded""#), PageKind::Bundle);
    assert_eq!(read::<Reason>(r#""folded""#), Reason::Bundled);
    assert_eq!(
        read::<Reason>(r#""no_place_in_time""#),
        Reason::NoSlotInTime
    );
    assert_eq!(
        read::<Reason>(r#""ceiling_reached""#),
        Reason::OverPageLimit
    );
}

#[test]
fn actors_that_were_stored_as_a_name_can_be_read() {
    use crate::engine::input::{Actor, Via};
    fn read<T: Stored>(json: &str) -> T {
        decode(b"", &[&[FORMAT, 0, 0, 0, 0], json.as_bytes()].concat()).unwrap()
    }
    let silence: crate::engine::records::Silence = read(
        r#"{"id":3,"matchers":[],"from":0,"until":1,"reason":"","created_by":"ana","created_at":0}"#,
    );
    assert_eq!(silence.created_by, Actor::named("ana", Via::Api));
    let note: crate::engine::incident::Note = read(r#"{"at":0,"by":"Ana Silva","text":"looking"}"#);
    assert_eq!(note.by, Actor::named("Ana Silva", Via::Api));
    assert_eq!(read::<Actor>(r#""reveille""#), Actor::router());
}

#[test]
fn entries_that_were_stored_as_sentences_can_be_read_and_kept() {
    use crate::engine::entry_body::EntryBody;
    use crate::engine::records::Entry;
    let json = r#"{"id":9,"incident":7,"at":0,"kind":"page","reason":"retry","text":"told"}"#;
    let read = |json: &str| -> Result<Entry, Error> {
        decode(b"", &[&[1, 0, 0, 0, 0], json.as_bytes()].concat())
    };
    let entry = read(json).unwrap();
    let expected = EntryBody::Written {
        kind: "page".into(),
        text: "told".into(),
    };
    assert_eq!(entry.body, expected);
    let again = serde_json::to_string(&entry).unwrap();
    assert_eq!(read(&again).unwrap(), entry);
    let error = read(r#"{"id":9,"incident":7,"at":0,"reason":"retry"}"#).unwrap_err();
    assert!(error.to_string().contains("neither a body nor"), "{error}");
}

#[test]
fn a_document_is_its_name_and_its_bytes() {
    let bytes = encode_document("0000000004", b"users: {}");
    let head = [FORMAT, 0, 0, 0, 0, 0, 0, 0, 10];
    assert_eq!(bytes, [&head[..], b"0000000004", b"users: {}"].concat());
    let read: Document = decode(b"", &bytes).unwrap();
    assert_eq!(read.name, "0000000004");
    assert_eq!(read.bytes, b"users: {}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_cause_and_cure() {
    let key = Key::receipts(HOME, crate::engine::ids::ReceiptId(12));
    let cases: [(&[u8], &str); 5] = [
        (
            &[9, 0, 0, 0, 0],
            "has format 9, and this version reads formats up to 2: a newer version",
        ),
        (&[0, 0, 0, 0, 0], "its format number is 0"),
        (&[1, 0], "it has only 2 bytes"),
        (b"\x01\0\0\0\0[{", "EOF while parsing"),
        (b"\x01\0\0\0\0[1] ]", "invalid type: integer"),
    ];
    for (bytes, part) in cases {
        let error = decode::<Vec<crate::engine::records::Receipt>>(key.as_ref(), bytes)
            .unwrap_err()
            .to_string();
        assert!(error.contains("Receipts/0/12"), "{error}");
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn values_of_a_group_stay_short_and_keep_their_order() {
    let receipts: Vec<_> = (1..=200)
        .map(|id| samples::receipt(id, samples::START))
        .collect();
    let filled = encode_groups(receipts.iter().map(|it| (it.id.0, it))).unwrap();
    assert!(filled.len() > 10);
    let mut next = 1;
    for (first, value) in filled {
        assert_eq!(first, next);
        assert!(value.len() <= VALUE_BYTES_MAX, "{} bytes", value.len());
        let receipts: Vec<crate::engine::records::Receipt> = decode(b"", &value).unwrap();
        for receipt in receipts {
            assert_eq!(receipt.id.0, next);
            next += 1;
        }
    }
    assert_eq!(next, 201);
}
