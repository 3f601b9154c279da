//! `serve`: which settings it starts with.

use super::harness::{context, parse};
use crate::app::ApplyRules;
use crate::cli::arguments::Command;
use crate::cli::report::Failure;
use crate::cli::serve;

fn options(
    words: &[&str],
    environment: &[(&str, &str)],
) -> Result<crate::app::ServeOptions, Failure> {
    let arguments = parse(words).unwrap_or_else(|error| panic!("{error}"));
    let context = context(&arguments, environment);
    match arguments.command {
        Command::Serve(serve) => serve::options(&serve, &context),
        other => panic!("not serve: {other:?}"),
    }
}

#[test]
fn flags_of_serve_win_over_the_environment() {
    let words = [
        "serve",
        "--data",
        "d",
        "--rules",
        "r",
        "--listen",
        "127.0.0.1:9",
        "--apply",
    ];
    let environment = [("REVEILLE_DATA", "x"), ("REVEILLE_PAGE_LIMIT", "3")];
    let options = options(&words, &environment).expect("all is good");
    let settings = options.settings;
    assert_eq!(settings.data.to_str(), Some("d"));
    assert_eq!(settings.rules.to_str(), Some("r"));
    assert_eq!(settings.listen.port(), 9);
    assert_eq!(settings.page_limit, 3);
    assert_eq!(options.apply, ApplyRules::Always);
}

#[test]
fn faults_in_settings_keep_serve_from_starting() {
    let environment = [("REVEILLE_LISTEN", "here"), ("REVEILLE_DISK_CAP", "much")];
    let failure = options(&["serve"], &environment).err().expect("two faults");
    assert_eq!(failure.code(), 2);
    let text = failure.to_string();
    for part in ["REVEILLE_LISTEN", "\"here\"", "REVEILLE_DISK_CAP", "10 GiB"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
