//! Which words are a command, and which are not.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::harness::parse;
use crate::cli::arguments::Arguments;
use crate::cli::parsing;

#[test]
fn the_grammar_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_of_the_contract_is_understood() {
    let commands = [
        "serve",
        "serve --config a.toml --data d --rules r --listen 127.0.0.1:1 --apply",
        "rules check",
        "rules check other --output json",
        "rules diff",
        "rules apply -m why --yes",
        "rules apply other",
        "rules export",
        "rules history",
        "rules rollback 3",
        "rules rollback 3 --yes",
        "rules test --label a=b --label c=d --at 03:10",
        "rules test --event event.json",
        "incidents",
        "incidents --status triggered --status acknowledged",
        "show 1042",
        "show #1042",
        "explain 1042",
        "explain r12",
        "explain --user ana --since 8h",
        "ack 1042 1043",
        "ack --mine",
        "ack --service payments --as ana",
        "ack 1042 --linked",
        "unack 1042",
        "resolve 1042 1043",
        "snooze 1042 1h",
        "snooze 1042 09:00",
        "escalate 1042",
        "reassign 1042 user/bo",
        "note 1042 looking at it",
        "page user/ana the house is on fire --urgency low",
        "health",
        "oncall --at 03:10 --schedule night --user ana",
        "override add night --user ana --for 8h",
        "override list",
        "override remove 3",
        "silence add team=\"payments\" --for 2h --reason test",
        "silence list",
        "silence expire 3",
        "send --summary down --severity critical --key k --label a=b",
        "send --key k --resolve",
        "send --flush",
        "token create --user ana --role responder --ttl 90d",
        "token list",
        "token revoke t1",
        "key create native",
        "key create native --name backup",
        "key list",
        "key revoke k1",
        "token create --name terraform --role admin",
        "key rotate native",
        "key list native",
        "channels check",
        "channels check mail",
        "checks list",
        "status show",
        "status show public",
        "status post public Broken --component API=major_outage --next 1h",
        "status maintenance public Work --for 1h --text soon",
        "status update public 3 --state monitoring",
        "status resolve public 3 fixed",
        "status publish public 3",
        "status edit public 3 --title Other",
        "status delete public 3",
        "status set public API operational --for 1h",
        "status follow public API",
        "status explain public API",
        "checks try helpline/api",
        "audit verify",
        "audit verify --expect 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
        "clock confirm",
        "store check data",
        "store save data new",
        "completions bash",
        "completions zsh",
        "completions fish",
        "man",
        "man rules apply",
        "--output json incidents",
    ];
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        if let Err(error) = parse(&words) {
            panic!("{command}: {error}");
        }
    }
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    let commands = [
        "",
        "bogus",
        "show",
        "show abc",
        "explain",
        "explain 5 --user ana",
        "explain zzz",
        "explain 0",
        "explain r",
        "ack 0",
        "override remove x",
        "silence expire x",
        "rules rollback x",
        "ack",
        "ack 5 --mine",
        "ack 5 --service payments",
        "resolve",
        "reassign 5 bo",
        "page ana help",
        "page user/ana",
        "override add night --for 8h",
        "override add night --user ana",
        "override add night --user ana --for 8h --until 09:00",
        "silence add --for 2h --reason x",
        "silence add a=b --for 2h",
        "send",
        "send --resolve",
        "send --summary x --label ab",
        "token create --user ana --role king",
        "token create --role admin",
        "incidents --status broken",
        "incidents --output yaml",
        "rules test --raw",
        "completions",
        "completions tcsh",
        "audit",
        "audit verify --expect abc",
        "rules backtest",
        "backup",
        "restore --check",
    ];
    for command in commands {
        let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
        match parse(&words) {
            Ok(_) => panic!("{command} was understood"),
            Err(error) => assert_eq!(error.exit_code(), 2, "{command}"),
        }
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for command in ["--help", "--version", "rules --help", "send --help"] {
        let words: Vec<&str> = command.split(' ').collect();
        let error = parse(&words).expect_err("clap ends here");
        assert_eq!(error.exit_code(), 0, "{command}");
    }
}

/// Each command with its path, from the grammar itself.
fn all_commands(
    command: &clap::Command,
    path: &[String],
    into: &mut Vec<(Vec<String>, clap::Command)>,
) {
    for inner in command.get_subcommands() {
        let path = [path, &[inner.get_name().to_owned()]].concat();
        if inner.has_subcommands() {
            all_commands(inner, &path, into);
        } else {
            into.push((path, inner.clone()));
        }
    }
}

/// What clap says when it has not taken a word as the text of an option or argument.
fn is_taken(words: &[OsString], name: &str) -> Result<(), String> {
    match parsing::parse(words.to_owned()) {
        Ok(_) => Ok(()),
        // The word was taken; what else the command needs is not given here.
        Err(error) => match error.kind() {
            ErrorKind::MissingRequiredArgument if is_missing(&error, name) => {
                Err(format!("{words:?}: {name} was not taken\n{error}"))
            }
            ErrorKind::MissingRequiredArgument
            | ErrorKind::ArgumentConflict
            | ErrorKind::ValueValidation => Ok(()),
            kind => Err(format!("{words:?}: {kind:?}\n{error}")),
        },
    }
}

fn is_missing(error: &clap::Error, name: &str) -> bool {
    let missing = error.get(ContextKind::InvalidArg);
    missing.is_some_and(|missing| match missing {
        ContextValue::Strings(names) => names.iter().any(|missing| missing.starts_with(name)),
        _ => false,
    })
}

/// Texts that a shell script may hand over.
fn odd_texts() -> Vec<OsString> {
    let texts = [
        "-5 free slots on db1",
        "-x",
        "-h",
        "-a=b",
        "--",
        "--summary",
        "--no-such-thing",
        "",
    ];
    let bytes = [&b"caf\xe9"[..], b"-\xff=\xfe"];
    let bytes = bytes.map(|bytes| OsStr::from_bytes(bytes).to_owned());
    texts.map(OsString::from).into_iter().chain(bytes).collect()
}

#[test]
fn every_text_option_of_every_command_takes_text_that_begins_with_a_dash_or_is_not_utf8() {
    let mut commands = Vec::new();
    all_commands(&parsing::grammar(), &[], &mut commands);
    let mut tried = 0;
    for (path, command) in &commands {
        for option in command.get_arguments().filter(|arg| parsing::is_text(arg)) {
            let Some(long) = option.get_long() else {
                continue;
            };
            for text in odd_texts() {
                let words = path.iter().map(OsString::from);
                let words = [OsString::from("reveille")].into_iter().chain(words);
                let option = [OsString::from(format!("--{long}")), text];
                let words: Vec<OsString> = words.chain(option).collect();
                is_taken(&words, &format!("--{long} ")).unwrap();
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn every_text_argument_of_every_command_takes_text_that_begins_with_a_dash_or_is_not_utf8() {
    let mut commands = Vec::new();
    all_commands(&parsing::grammar(), &[], &mut commands);
    let mut tried = 0;
    for (path, command) in &commands {
        if !command.get_positionals().any(parsing::is_text) {
            continue;
        }
        // A word that is an option of the command is one; after `--` nothing is.
        for text in odd_texts()
            .into_iter()
            .filter(|text| text != "-h" && text != "--")
        {
            let given = command.get_positionals().map(|arg| match arg {
                text_wanted if parsing::is_text(text_wanted) => text.clone(),
                _ => OsString::from("1"),
            });
            let words = path.iter().map(OsString::from).chain(given);
            let words = [OsString::from("reveille")].into_iter().chain(words);
            let words: Vec<OsString> = words.collect();
            for argument in command.get_positionals() {
                let name = format!("<{}>", argument.get_id().as_str().to_uppercase());
                is_taken(&words, &name).unwrap();
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn text_arrives_as_it_was_given() {
    let words: [&[&str]; 3] = [
        &["note", "5", "-5 free", "--slots", "--output", "json", "-x"],
        &[
            "note", "--output", "json", "5", "--", "-5 free", "--slots", "-x",
        ],
        &["--output=json", "note", "5", "-5 free", "--slots", "-x"],
    ];
    for words in words {
        let arguments = parse(words).unwrap();
        let shown = format!("{:?}", arguments.command);
        assert!(
            shown.contains(r#"text: ["-5 free", "--slots", "-x"]"#),
            "{words:?}: {shown}"
        );
        assert_eq!(
            format!("{:?}", arguments.global.output),
            "Json",
            "{words:?}"
        );
    }
    let arguments = parse(&[
        "send",
        "--summary",
        "-5 free",
        "--label",
        "-a=b",
        "--resolve",
        "--key=-k",
    ]);
    let shown = format!("{:?}", arguments.unwrap().command);
    let expected = [
        r#"summary: Some("-5 free")"#,
        r#"[("-a", "b")]"#,
        r#"key: Some("-k")"#,
        "resolve: true",
    ];
    for part in expected {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_told_of_and_a_path_keeps_them() {
    let path = OsStr::from_bytes(b"/var/caf\xe9");
    let text = OsStr::from_bytes(b"caf\xe9 down");
    let words = ["reveille", "send", "--summary"].map(OsString::from);
    let words = words
        .into_iter()
        .chain([text.to_owned(), "--spool".into(), path.to_owned()]);
    let parsed = parsing::parse(words).unwrap();
    let shown = format!("{:?}", parsed.arguments.command);
    assert!(
        shown.contains("summary: Some(\"caf\u{fffd} down\")"),
        "{shown}"
    );
    assert!(shown.contains(r"caf\xE9"), "{shown}");
    assert_eq!(parsed.warnings.len(), 1, "{:?}", parsed.warnings);
    assert!(
        parsed.warnings[0].contains("caf\u{fffd} down"),
        "{:?}",
        parsed.warnings
    );
}
