//! What the program says of itself needs no server.

use super::harness::run_asked;

async fn said(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    // An address on which a request would fail the test.
    let environment = [("REVEILLE_URL", "http://127.0.0.1:1")];
    match run_asked(&words, &environment, None).await {
        Ok(report) => report.text,
        Err(failure) => panic!("{line}: {failure}"),
    }
}

#[tokio::test]
async fn each_shell_is_taught_all_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(&format!("completions {shell}")).await;
        for command in ["explain", "reassign", "rollback", "--linked"] {
            let found = script.contains(command.trim_start_matches("--"));
            assert!(found, "{shell} does not know {command}");
        }
    }
}

#[tokio::test]
async fn a_manual_page_is_that_of_the_command_asked_for() {
    let cases = [
        ("man", "reveille", "explain"),
        ("man rules apply", "reveille-rules-apply", "yes"),
        ("man ack", "reveille-ack", "linked"),
    ];
    for (line, title, word) in cases {
        let page = said(line).await.replace("\\-", "-");
        assert!(page.contains(&format!(".TH {title} 1")), "{page}");
        assert!(page.contains(word), "{line} says nothing of {word}");
    }
    let failure = run_asked(&["man", "rules", "aply"], &[], None)
        .await
        .expect_err("there is none");
    assert_eq!(failure.code(), 2);
    assert!(failure.to_string().contains("\"rules aply\""), "{failure}");
}
