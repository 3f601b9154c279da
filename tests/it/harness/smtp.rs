//! A mail relay in the test process.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::inbox::Inbox;
use super::mime::Entity;
use super::script::Script;
use super::smtp_session::{Ending, Session};

/// A mail that the relay took.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The name in the client's greeting.
    pub hello: String,
    pub from: String,
    pub to: String,
    /// Whether it came over TLS.
    pub is_secret: bool,
    pub entity: Entity,
}

/// A moment of the conversation at which a script can act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    Login,
    Mail,
    Rcpt,
    Data,
    /// After the final dot: the relay has the mail.
    Dot,
}

/// One behaviour; it waits until its stage comes.
#[derive(Clone, Debug)]
pub struct Reply {
    pub stage: Stage,
    pub action: Action,
}

/// What happens instead of the good answer.
#[derive(Clone)]
pub enum Action {
    /// This happens first, then the good answer is given.
    First(Arc<dyn Fn() + Send + Sync>),
    /// This mail is taken; the next behaviour is for the next mail.
    Take,
    Say(u16, &'static str),
    /// No answer, and the connection stays open.
    Silence,
    HangUp,
}

impl fmt::Debug for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First(_) => formatter.write_str("something first"),
            Self::Take => formatter.write_str("take"),
            Self::Say(code, text) => write!(formatter, "{code} {text}"),
            Self::Silence => formatter.write_str("silence"),
            Self::HangUp => formatter.write_str("hang up"),
        }
    }
}

impl Reply {
    /// Lets something happen at this stage before the good answer.
    pub fn first(stage: Stage, event: impl Fn() + Send + Sync + 'static) -> Self {
        let action = Action::First(Arc::new(event));
        Self { stage, action }
    }

    /// Takes one mail as always.
    pub fn ok() -> Self {
        let (stage, action) = (Stage::Dot, Action::Take);
        Self { stage, action }
    }

    /// Answers so at this stage.
    pub fn at(stage: Stage, code: u16, text: &'static str) -> Self {
        let action = Action::Say(code, text);
        Self { stage, action }
    }

    /// Answers nothing at this stage.
    pub fn silence(stage: Stage) -> Self {
        let action = Action::Silence;
        Self { stage, action }
    }

    /// Closes the connection at this stage.
    pub fn hang_up(stage: Stage) -> Self {
        let action = Action::HangUp;
        Self { stage, action }
    }
}

/// How the relay is to be talked to.
#[derive(Clone, Default)]
pub enum Security {
    #[default]
    Clear,
    StartTls(Arc<ServerConfig>),
    Implicit(Arc<ServerConfig>),
}

/// A relay; what it took is in its inbox.
pub struct FakeSmtp {
    pub address: SocketAddr,
    inbox: Inbox<Mail>,
    script: Script<Reply>,
    _tasks: JoinSet<()>,
}

/// What all conversations share.
#[derive(Clone)]
pub struct Shared {
    pub inbox: Inbox<Mail>,
    pub script: Script<Reply>,
    pub security: Security,
    /// Name and password; without them nobody has to log in.
    pub login: Option<(&'static str, &'static str)>,
}

impl FakeSmtp {
    /// A relay in clear text that takes mail from everybody.
    pub async fn start() -> Self {
        Self::start_with(Security::Clear, None).await
    }

    /// A relay that insists on a login over STARTTLS, with its certificate.
    pub async fn start_secure(certificate: &Certificate) -> Self {
        let security = Security::StartTls(Arc::clone(&certificate.server));
        Self::start_with(security, Some(("pager", "s3cret"))).await
    }

    /// A relay of any kind.
    pub async fn start_with(
        security: Security,
        login: Option<(&'static str, &'static str)>,
    ) -> Self {
        super::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared {
            inbox: Inbox::default(),
            script: Script::default(),
            security,
            login,
        };
        let (inbox, script) = (shared.inbox.clone(), shared.script.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared));
        Self {
            address,
            inbox,
            script,
            _tasks: tasks,
        }
    }

    /// What it does from now on, one behaviour after the other.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.add(replies);
    }

    /// The next mail that it took.
    pub async fn next(&self) -> Mail {
        self.inbox.next("mail").await
    }

    /// Fails if it took a mail that no test has looked at.
    #[track_caller]
    pub fn expect_nothing_more(&self) {
        self.inbox.expect_empty("mail");
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    let mut conversations = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        conversations.spawn(converse(stream, shared.clone()));
    }
}

async fn converse(stream: TcpStream, shared: Shared) {
    match &shared.security {
        Security::Clear => {
            Session::new(stream, &shared, false).run().await;
        }
        Security::Implicit(server) => {
            let acceptor = TlsAcceptor::from(Arc::clone(server));
            // A client that does not like the certificate ends the conversation here.
            if let Ok(stream) = acceptor.accept(stream).await {
                Session::new(stream, &shared, true).run().await;
            }
        }
        Security::StartTls(server) => {
            let ending = Session::new(stream, &shared, false).run().await;
            let Ending::ChangeToTls(stream) = ending else {
                return;
            };
            let acceptor = TlsAcceptor::from(Arc::clone(server));
            if let Ok(stream) = acceptor.accept(stream).await {
                Session::new(stream, &shared, true).go_on().run().await;
            }
        }
    }
}
