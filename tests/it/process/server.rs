//! A Reveille of its own for one test: own folder, own port, ended with the test.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::Response;
use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::log;
use crate::harness::http::client;
use crate::harness::inbox::Inbox;

/// A start or an orderly end takes at most this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log that has not grown over so many looks stands still.
const LOOKS_AT_LOG: usize = 2_000;

/// Rules with one person, who is paged by mail.
pub const ONE_PERSON: &str = "
users:
  ana:
    full_name: Ana Silva
    contacts:
      mail: { email: ana@example.com }
policies:
  default:
    steps:
      - { targets: [user/ana], wait: 1h }
integrations:
  native: { format: native }
route:
  policy: default
";

/// The same with another contact and with these integrations.
pub fn one_person(contact: &str, integrations: &str) -> String {
    ONE_PERSON
        .replace(MAIL, contact)
        .replace(NATIVE, integrations)
}

/// A contact of theirs by mail, by SMS and in Slack, and the integration of [`ONE_PERSON`].
pub const MAIL: &str = "mail: { email: ana@example.com }";
pub const PHONE: &str = "phone: { sms: \"+351912345678\" }";
pub const CHAT: &str = "chat: { slack: U024BE7LH }";
pub const NATIVE: &str = "  native: { format: native }\n";

/// Rules with a schedule, which one person is on.
pub const ON_CALL: &str = "
users:
  ana:
    full_name: Ana Silva
    contacts:
      mail: { email: ana@example.com }
schedules:
  night:
    time_zone: Europe/Lisbon
    layers:
      - users: [ana]
policies:
  default:
    steps:
      - { targets: [schedule/night], wait: 1h }
integrations:
  native: { format: native }
route:
  policy: default
  service: payments
";

/// Settings with a channel `hooks` to receivers in the test process.
pub const HOOKS: &str = r#"
[outbound]
allow_networks = ["127.0.0.0/8"]

[[channel]]
name = "hooks"
kind = "webhook"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
"#;

/// Rules that page a receiver of that channel, with these integrations.
pub fn hook_rules(receiver: &str, integrations: &str) -> String {
    format!(
        r#"
policies:
  default:
    steps:
      - {{ targets: ["channel/hooks/{receiver}/page"], wait: 1h }}
integrations:
{integrations}route:
  policy: default
"#
    )
}

/// The folder of one installation; it outlives the processes that run in it. At its end their log
/// is searched for errors, and one that the test did not expect fails it.
pub struct Place {
    folder: TempDir,
    pub port: u16,
    variables: Vec<(String, String)>,
    expected_errors: Mutex<Vec<String>>,
}

impl Place {
    /// A folder with these settings (beside the addresses) and these rules.
    pub fn new(settings: &str, rules: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let head = format!("listen = \"127.0.0.1:{port}\"\npublic_url = \"{url}\"\n");
        std::fs::write(folder.path().join("reveille.toml"), head + settings).unwrap();
        std::fs::create_dir(folder.path().join("rules")).unwrap();
        std::fs::write(folder.path().join("rules/all.yaml"), rules).unwrap();
        Self {
            folder,
            port,
            variables: Vec::new(),
            expected_errors: Mutex::default(),
        }
    }

    /// Sets an environment variable for all processes of this place.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A router of this place logs an error with this text: without it the test fails.
    pub fn expects_error(&self, part: &str) {
        self.expected_errors.lock().unwrap().push(part.to_owned());
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the binary in this folder, in an environment of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.envs(self.variables.clone());
        command.env("REVEILLE_URL", format!("http://127.0.0.1:{}", self.port));
        command
    }

    /// Runs a command to its end; the answer is its standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {errors}{said}");
        said
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.path().join("data").join(name);
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// Starts the router and waits until it listens.
    pub async fn start(&self) -> Server {
        self.start_by(self.command(&["serve"])).await
    }

    /// The same where it speaks TLS.
    pub async fn start_tls(&self) -> Server {
        self.start_at("https", self.command(&["serve"])).await
    }

    /// The same by a command that becomes the router.
    pub async fn start_by(&self, command: Command) -> Server {
        self.start_at("http", command).await
    }

    async fn start_at(&self, scheme: &str, command: Command) -> Server {
        let server = self.try_start_at(scheme, command).await;
        server.unwrap_or_else(|| panic!("the router ended: {}", self.log()))
    }

    /// Starts the router; `None` if it ends instead.
    pub async fn try_start(&self) -> Option<Server> {
        self.try_start_at("http", self.command(&["serve"])).await
    }

    async fn try_start_at(&self, scheme: &str, mut command: Command) -> Option<Server> {
        let log = self.path().join("log");
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let lines = read_lines(out);
        loop {
            // Recovery may show a page before the router listens.
            let line = lines.next("line of the router").await;
            if line == "the router ended" {
                child.wait().unwrap();
                return None;
            }
            if line.starts_with(&format!("Reveille listens on {scheme}://127.0.0.1:")) {
                break;
            }
        }
        Some(Server {
            child: Some(child),
            lines,
            url: format!("{scheme}://127.0.0.1:{}", self.port),
            token: self.file("admin-token"),
            key: self.file("first-key"),
        })
    }

    /// What the router logged, over all its processes. A thread of its own writes the log, so it is
    /// looked at until it stands still.
    pub fn log(&self) -> String {
        let path = self.path().join("log");
        let length = || std::fs::metadata(&path).unwrap().len();
        let (mut known, mut looks) = (length(), 0);
        while looks < LOOKS_AT_LOG {
            std::thread::yield_now();
            looks += 1;
            let now = length();
            if now != known {
                (known, looks) = (now, 0);
            }
        }
        std::fs::read_to_string(path).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test that failed has said what it found; a place may also have had no router.
        let log = std::fs::read_to_string(self.path().join("log"));
        if let (false, Ok(log)) = (std::thread::panicking(), log) {
            let faults = log::faults(&log, &self.expected_errors.lock().unwrap());
            assert!(faults.is_empty(), "in the log of the router: {faults:#?}");
        }
    }
}

/// A port for a process that is started soon: free, given to nobody else by this one, and below
/// those that systems hand out by themselves, so that no test's server takes it meanwhile.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Tests that run in processes of their own begin at different places.
    let start = std::process::id().wrapping_mul(97);
    std::iter::repeat_with(|| start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)))
        .map(|number| u16::try_from(FIRST + number % COUNT).unwrap())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

pub fn read_lines(out: ChildStdout) -> Inbox<String> {
    let inbox = Inbox::default();
    let lines = inbox.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            inbox.put(line);
        }
        inbox.put("the router ended".to_owned());
    });
    lines
}

/// A running router.
pub struct Server {
    child: Option<Child>,
    /// What it prints, such as pages of the console.
    lines: Inbox<String>,
    pub url: String,
    pub token: String,
    /// Of the integration `native`.
    pub key: String,
}

impl Server {
    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end and waits until it has.
    pub async fn stop(self) -> ExitStatus {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
        self.ended().await
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(self.child.as_ref().unwrap())
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
        tokio::time::timeout(PATIENCE, ended)
            .await
            .unwrap()
            .unwrap()
    }

    /// The next line with this text that the router prints.
    pub async fn printed(&self, part: &str) -> String {
        loop {
            let line = self.lines.next("line of the router").await;
            if line.contains(part) {
                return line;
            }
            assert_ne!(line, "the router ended");
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let request = client()
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// The text of a path that answers with something else than JSON.
    pub async fn text(&self, path: &str) -> String {
        let request = client().get(format!("{}{path}", self.url));
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        response.text().await.unwrap()
    }

    pub async fn act(&self, path: &str, body: &Value) -> Response {
        let request = client()
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        request.json(body).send().await.unwrap()
    }

    /// Posts to a path with an integration's key.
    pub async fn post(&self, path: &str, key: &str, body: String) -> Response {
        let request = client()
            .post(format!("{}{path}", self.url))
            .bearer_auth(key);
        request.body(body).send().await.unwrap()
    }

    /// The story of an incident as its reasons.
    pub async fn reasons(&self, number: u64) -> Vec<String> {
        let story = self
            .get(&format!("/v1/incidents/{number}/timeline?limit=500"))
            .await;
        let items = story["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Looks again and again until what is looked for is there; panics when it never is.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look(self).await {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        let limit = PATIENCE * 3;
        tokio::time::timeout(limit, looking)
            .await
            .unwrap_or_else(|_| panic!("never: {what}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // A test that failed must leave no process behind; the process may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
