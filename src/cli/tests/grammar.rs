//! Which words are a command, and which are not.

use clap::CommandFactory;

use super::harness::parse;
use crate::cli::arguments::Arguments;

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
        "key rotate native",
        "key list native",
        "channels check",
        "channels check mail",
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
        "rules backtest",
        "backup file",
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
