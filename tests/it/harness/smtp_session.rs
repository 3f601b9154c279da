//! One conversation of the fake relay.

use std::future::pending;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::mime::Entity;
use super::smtp::{Action, Mail, Security, Shared, Stage};

/// How a conversation ended.
pub enum Ending<S> {
    Over,
    ChangeToTls(S),
}

/// A conversation over one stream.
pub struct Session<'shared, S> {
    stream: BufReader<S>,
    shared: &'shared Shared,
    is_secret: bool,
    is_greeted: bool,
    is_logged_in: bool,
    hello: String,
    from: String,
    to: String,
}

/// The conversation cannot go on: hung up by either side.
struct Over;

impl<'shared, S: AsyncRead + AsyncWrite + Unpin> Session<'shared, S> {
    /// A conversation that begins with a greeting.
    pub fn new(stream: S, shared: &'shared Shared, is_secret: bool) -> Self {
        Self {
            stream: BufReader::new(stream),
            shared,
            is_secret,
            is_greeted: false,
            is_logged_in: false,
            hello: String::new(),
            from: String::new(),
            to: String::new(),
        }
    }

    /// After STARTTLS there is no second greeting.
    pub fn go_on(mut self) -> Self {
        self.is_greeted = true;
        self
    }

    /// Talks until either side has enough.
    pub async fn run(mut self) -> Ending<S> {
        if !self.is_greeted
            && self
                .answer(Stage::Greeting, 220, "relay ready")
                .await
                .is_err()
        {
            return Ending::Over;
        }
        while let Ok(line) = self.line().await {
            if line.eq_ignore_ascii_case("STARTTLS") {
                return match self.say(220, "go ahead").await {
                    Ok(()) => Ending::ChangeToTls(self.stream.into_inner()),
                    Err(Over) => Ending::Over,
                };
            }
            if self.command(&line).await.is_err() {
                return Ending::Over;
            }
        }
        Ending::Over
    }

    async fn command(&mut self, line: &str) -> Result<(), Over> {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        match verb.to_uppercase().as_str() {
            "EHLO" => self.hello(line).await,
            "AUTH" => self.login(line).await,
            "MAIL" => self.sender(line).await,
            "RCPT" => {
                self.to = between_brackets(line);
                self.answer(Stage::Rcpt, 250, "2.1.5 ok").await
            }
            "DATA" => self.data().await,
            "NOOP" | "RSET" => self.say(250, "2.0.0 ok").await,
            "QUIT" => {
                self.say(221, "2.0.0 bye").await?;
                Err(Over)
            }
            _ => self.say(502, "5.5.1 unknown command").await,
        }
    }

    async fn hello(&mut self, line: &str) -> Result<(), Over> {
        self.hello = line.split(' ').nth(1).unwrap_or_default().to_owned();
        if let Some(action) = self.scripted(Stage::Hello) {
            return self.act(action).await;
        }
        let offers_tls = matches!(self.shared.security, Security::StartTls(_)) && !self.is_secret;
        let mut offers = vec!["relay.test", "8BITMIME", "SMTPUTF8"];
        if offers_tls {
            offers.push("STARTTLS");
        }
        if self.shared.login.is_some() && !offers_tls {
            offers.push("AUTH PLAIN");
        }
        let last = offers.len() - 1;
        let mut lines = String::new();
        for (at, offer) in offers.iter().enumerate() {
            let sign = if at == last { ' ' } else { '-' };
            lines.push_str(&format!("250{sign}{offer}\r\n"));
        }
        self.write(&lines).await
    }

    async fn login(&mut self, line: &str) -> Result<(), Over> {
        let given = line.split(' ').nth(2).unwrap_or_default();
        let given = STANDARD.decode(given).unwrap_or_default();
        let expected = self
            .shared
            .login
            .map(|(name, password)| format!("\0{name}\0{password}"));
        self.is_logged_in = expected.is_some_and(|expected| expected.as_bytes() == given);
        if self.is_logged_in {
            self.answer(Stage::Login, 235, "2.7.0 welcome").await
        } else {
            self.say(535, "5.7.8 bad username or password").await
        }
    }

    async fn sender(&mut self, line: &str) -> Result<(), Over> {
        if self.shared.login.is_some() && !self.is_logged_in {
            return self.say(530, "5.7.0 authentication required").await;
        }
        self.from = between_brackets(line);
        self.answer(Stage::Mail, 250, "2.1.0 ok").await
    }

    async fn data(&mut self) -> Result<(), Over> {
        if let Some(action) = self.scripted(Stage::Data) {
            return self.act(action).await;
        }
        self.say(354, "end with a dot").await?;
        let mut raw = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                break;
            }
            raw.push_str(line.strip_prefix('.').unwrap_or(&line));
            raw.push_str("\r\n");
        }
        let mail = Mail {
            hello: self.hello.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            is_secret: self.is_secret,
            entity: Entity::parse(&raw),
        };
        match self.scripted(Stage::Dot) {
            Some(Action::Say(code, text)) => self.say(code, text).await,
            Some(Action::Take | Action::First(_)) | None => {
                self.shared.inbox.put(mail);
                self.say(250, "2.0.0 queued as 4711").await
            }
            // The relay has it, but nobody hears of that.
            Some(unanswered @ (Action::Silence | Action::HangUp)) => {
                self.shared.inbox.put(mail);
                self.act(unanswered).await
            }
        }
    }

    /// The good answer, unless the script has another for this stage.
    async fn answer(&mut self, stage: Stage, code: u16, text: &'static str) -> Result<(), Over> {
        let action = self.scripted(stage).unwrap_or(Action::Say(code, text));
        self.act(action).await
    }

    fn scripted(&self, stage: Stage) -> Option<Action> {
        let reply = self.shared.script.take_if(|reply| reply.stage == stage);
        match reply?.action {
            Action::First(event) => {
                event();
                None
            }
            action => Some(action),
        }
    }

    async fn act(&mut self, action: Action) -> Result<(), Over> {
        match action {
            Action::Say(code, text) => {
                self.say(code, text).await?;
                if code == 421 { Err(Over) } else { Ok(()) }
            }
            Action::Take | Action::First(_) => self.say(250, "2.0.0 ok").await,
            Action::Silence => pending().await,
            Action::HangUp => Err(Over),
        }
    }

    async fn say(&mut self, code: u16, text: &str) -> Result<(), Over> {
        self.write(&format!("{code} {text}\r\n")).await
    }

    async fn write(&mut self, text: &str) -> Result<(), Over> {
        let written = self.stream.write_all(text.as_bytes()).await;
        let flushed = self.stream.flush().await;
        written.and(flushed).map_err(|_| Over)
    }

    async fn line(&mut self) -> Result<String, Over> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(0) | Err(_) => Err(Over),
            Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        }
    }
}

fn between_brackets(line: &str) -> String {
    let inside = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(inside, _)| inside.to_owned())
}
