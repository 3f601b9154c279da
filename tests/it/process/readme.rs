//! The tour of README.md, run as it stands in an empty folder: what it shows is what comes.
//!
//! Times, keys, tokens and widths of columns differ from run to run and are made equal first.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

use super::server::{free_port, read_lines};
use crate::harness::inbox::Inbox;
use crate::harness::skipped;

const README: &str = include_str!("../../../README.md");
/// The port that README.md shows: the one of the default settings.
const SHOWN_PORT: &str = "8080";

/// What differs from run to run, and what stands for it.
const MADE_EQUAL: [(&str, &str); 10] = [
    (r"rv_[0-9a-zA-Z…]+", "TOKEN"),
    (r"Bearer [0-9a-f]+…?'", "Bearer KEY'"),
    (r"\b[0-9a-f]{32}\b", "DEDUP-KEY"),
    (r"spool/[0-9a-f]{16}", "spool/NAME"),
    (r"/a/[A-Za-z0-9_-]{32}", "/a/LINK"),
    (
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2}( \d{4})?",
        "DAY",
    ),
    (
        r"\d\d:\d\d(:\d\d)?( [A-Z]{3,4}\b)?( (\d+[smh]|\((now|\d+[smh] ago)\)))?",
        "TIME",
    ),
    (r"delivered \d+\.\d s", "delivered SHORTLY"),
    (r"[─ ]{2,}", " "),
    (r" +$", ""),
];

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rule = |(pattern, name): &(&str, &'static str)| (Regex::new(pattern).unwrap(), *name);
    MADE_EQUAL.iter().map(rule).collect()
});

fn equal(text: &str) -> String {
    let line = |line: &str| {
        RULES.iter().fold(line.to_owned(), |line, (pattern, name)| {
            pattern.replace_all(&line, *name).into_owned()
        })
    };
    let lines: Vec<String> = text.trim().lines().map(line).collect();
    lines.join("\n")
}

/// A fenced block: its commands with what they show, or a text that somebody sees.
enum Block {
    /// Commands of the first kind are run for their effect.
    Script(String),
    Session(Vec<(String, String)>),
    Page(String),
}

fn tour() -> Vec<Block> {
    let begin = README.find("## Five minutes").expect("the tour");
    let end = README.find("## Point Prometheus").expect("its end");
    let parts: Vec<&str> = README[begin..end].split("```").collect();
    let blocks = parts.iter().skip(1).step_by(2);
    blocks.map(|block| read_block(block)).collect()
}

fn read_block(block: &str) -> Block {
    let (kind, text) = block.split_once('\n').expect("a kind and a text");
    if kind == "sh" {
        return Block::Script(text.to_owned());
    }
    if !text.starts_with("$ ") {
        return Block::Page(text.to_owned());
    }
    let mut session: Vec<(String, String)> = Vec::new();
    let mut is_continued = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            session.push((command.to_owned(), String::new()));
            is_continued = is_open(command);
        } else {
            let (command, shown) = session.last_mut().expect("the first line is a command");
            let into = if is_continued { &mut *command } else { shown };
            into.push('\n');
            into.push_str(line);
            is_continued = is_continued && is_open(command);
        }
    }
    Block::Session(session)
}

/// Whether a command goes on in the next line.
fn is_open(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

/// A folder, a shell in it, and the terminal in which the router runs.
struct Reader {
    folder: TempDir,
    port: String,
    router: Option<Child>,
    terminal: Inbox<String>,
    /// What the second terminal has set.
    exports: String,
    /// Links by those that README.md shows.
    links: BTreeMap<String, String>,
}

impl Reader {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            port: free_port().to_string(),
            router: None,
            terminal: Inbox::default(),
            exports: String::new(),
            links: BTreeMap::new(),
        }
    }

    fn shell(&self, script: &str) -> Command {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_reveille"));
        let folder = binary.parent().unwrap().display();
        let script = format!("{}\n{script}", self.exports);
        let mut script = script.replace(SHOWN_PORT, &self.port);
        for (shown, link) in &self.links {
            script = script.replace(shown, link);
        }
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.folder.path().join("home"))
            .env("REVEILLE_LISTEN", format!("127.0.0.1:{}", self.port));
        command
    }

    /// Starts the router in the first terminal and waits until it has said what is shown.
    async fn serve(&mut self, shown: &str) {
        let mut command = self.shell("exec reveille serve");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.terminal = read_lines(child.stdout.take().unwrap());
        if let Some(mut killed) = self.router.replace(child) {
            killed.wait().unwrap();
        }
        if shown.is_empty() {
            while !self.line().await.starts_with("Reveille listens on") {}
            return;
        }
        let mut said = Vec::new();
        for _ in shown.trim().lines() {
            said.push(self.line().await);
        }
        assert_eq!(equal(&said.join("\n")), equal(shown), "reveille serve");
    }

    async fn line(&self) -> String {
        let line = self.terminal.next("a line of the router").await;
        line.replace(&self.port, SHOWN_PORT)
    }

    /// The page is shown in the first terminal, maybe after others.
    async fn see(&mut self, page: &str) {
        let wanted = equal(page);
        let mut seen = String::new();
        loop {
            let line = self.line().await;
            if line.starts_with('┌') {
                seen.clear();
            }
            seen.push_str(&line);
            seen.push('\n');
            if line.starts_with('└') && equal(&seen) == wanted {
                break;
            }
        }
        let link = Regex::new("/a/[A-Za-z0-9_-]{32}").unwrap();
        let shown = link.find(page).unwrap().as_str().to_owned();
        let real = link.find(&seen).unwrap().as_str().to_owned();
        self.links.insert(shown, real);
    }

    async fn run(&mut self, command: &str, shown: &str) {
        if command.starts_with("reveille serve") {
            return self.serve(shown).await;
        }
        let output = self.shell(command).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        let home = self.folder.path().join("home").display().to_string();
        let said = said.replace(&home, "~").replace(&self.port, SHOWN_PORT);
        if command.contains("curl -sS -i") {
            // Of the head it shows what matters.
            for line in shown.trim().lines() {
                assert!(said.contains(line), "{command}: {line} in {said}");
            }
            return;
        }
        assert_eq!(equal(&said), equal(shown), "{command}");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(router) = &mut self.router {
            // A test that failed must leave no process behind; the process may be gone already.
            let _ = router.kill();
            let _ = router.wait();
        }
    }
}

#[tokio::test]
async fn the_tour_of_the_readme_shows_what_comes() {
    if Command::new("curl").arg("--version").output().is_err() {
        skipped("the tour needs curl, which is not installed");
        return;
    }
    let mut reader = Reader::new();
    for block in tour() {
        match block {
            Block::Script(script) => reader.exports.push_str(&script),
            Block::Page(page) => reader.see(&page).await,
            Block::Session(session) => {
                for (command, shown) in session {
                    reader.run(&command, &shown).await;
                }
            }
        }
    }
}

#[test]
fn every_address_of_the_readme_has_the_port_of_the_default_settings() {
    let settings = include_str!("../../../src/default.toml");
    assert!(settings.contains(&format!("listen = \"127.0.0.1:{SHOWN_PORT}\"")));
    let address = Regex::new(r"127\.0\.0\.1:(\d+)").unwrap();
    let ports: Vec<&str> = address
        .captures_iter(README)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert!(!ports.is_empty());
    assert!(ports.iter().all(|port| *port == SHOWN_PORT), "{ports:?}");
}
