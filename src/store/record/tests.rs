//! The golden files pin what is stored.

use std::fmt::Debug;
use std::path::PathBuf;

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

/// One sample a line, in hex.
fn golden(format: u8, name: &str) -> Vec<Vec<u8>> {
    let path = folder(format).join(format!("{name}.hex"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} is missing: {error}", path.display()));
    text.lines()
        .map(|line| hex::decode(line).unwrap())
        .collect()
}

/// With `REVEILLE_BLESS=1` the files of the present format are written anew.
fn check_golden<T>(name: &str, samples: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let now: Vec<Vec<u8>> = samples.iter().map(|it| encode(it).unwrap()).collect();
    if std::env::var_os("REVEILLE_BLESS").is_some() {
        let lines = now.iter().map(|bytes| hex::encode(bytes) + "\n");
        std::fs::create_dir_all(folder(FORMAT)).unwrap();
        std::fs::write(
            folder(FORMAT).join(format!("{name}.hex")),
            lines.collect::<String>(),
        )
        .unwrap();
    }
    let golden = golden(FORMAT, name);
    assert_eq!(
        now, golden,
        "the stored form of {name} has changed: raise FORMAT, add golden files for it, and keep \
         the old form readable"
    );
    for (sample, golden) in samples.iter().zip(&golden) {
        let read: T = decode(b"", golden).unwrap();
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
    check_golden("provider", &[samples::provider()]);
    check_golden("dependent", &[samples::dependent()]);
    check_golden("status_component", &[samples::status_component()]);
    check_golden("status_post", &[samples::status_post()]);
    check_golden("service_alert", &[samples::service_alert()]);
    let receipts = [
        samples::receipt(6, samples::START),
        samples::repeat_receipt(7, samples::START),
    ];
    check_golden("receipts", &receipts);
    check_golden("entries", &samples::entries());
    let progress = Progress {
        layout: LAYOUT,
        commits: 2,
        batches: 4,
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
        let all = golden(format, name);
        assert!(!all.is_empty(), "{name} of format {format} holds nothing");
        for value in all {
            decode::<T>(name.as_bytes(), &value).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    for format in FORMAT_MIN..=FORMAT {
        use crate::engine::{
            alert, calendar, incident, page, records, status_component, status_post,
        };
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
        read::<crate::engine::provider::ProviderState>(format, "provider");
        read::<crate::engine::dependent::Dependent>(format, "dependent");
        read::<status_component::StatusComponent>(format, "status_component");
        read::<status_post::StatusPost>(format, "status_post");
        read::<status_component::ServiceAlert>(format, "service_alert");
        read::<records::Receipt>(format, "receipts");
        read::<records::Entry>(format, "entries");
        read::<Progress>(format, "progress");
        read::<Clocks>(format, "clocks");
    }
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
    let key = Key::journal(HOME, 12);
    let cases: [(&[u8], &str); 6] = [
        (
            &[9, 0, 0, 0, 0],
            "has format 9, and this version reads formats up to 3: a newer version",
        ),
        (
            b"\x02\0\0\0\0[]",
            "has format 2, of a build before the first version",
        ),
        (&[0, 0, 0, 0, 0], "its format number is 0"),
        (&[3, 0], "it has only 2 bytes"),
        (&[3, 0, 0, 0, 0, 1], "it ends too early"),
        (&[3, 0, 0, 0, 0, 1, 0, 4, 0xff, 0xfe], "it ends too early"),
    ];
    for (bytes, part) in cases {
        let error = decode::<Items<crate::engine::records::Receipt>>(key.as_ref(), bytes)
            .unwrap_err()
            .to_string();
        assert!(error.contains("Journal/0/12"), "{error}");
        assert!(error.contains(part), "{error}");
    }
    let error = decode::<u64>(key.as_ref(), &[3, 0, 0, 0, 0, 1, 2, 3]).unwrap_err();
    assert!(
        error.to_string().contains("2 bytes follow its end"),
        "{error}"
    );
}

#[test]
fn values_of_a_group_stay_short_and_keep_their_order() {
    let receipts: Vec<_> = (1..=200)
        .map(|id| samples::receipt(id, samples::START))
        .collect();
    let filled = encode_groups(receipts.iter().map(|it| (it.id.0, it))).unwrap();
    assert!(filled.len() > 3, "{}", filled.len());
    let mut next = 1;
    for (first, value) in filled {
        assert_eq!(first, next);
        assert!(value.len() <= VALUE_BYTES_MAX, "{} bytes", value.len());
        let receipts: Items<crate::engine::records::Receipt> = decode(b"", &value).unwrap();
        for receipt in receipts.0 {
            assert_eq!(receipt.id.0, next);
            next += 1;
        }
    }
    assert_eq!(next, 201);
}
