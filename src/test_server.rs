//! The scripted HTTP server of all tests: it records every call and gives the answers it was told,
//! misbehaviour included. The tests in `tests/it` include this file.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// One call that came in.
#[derive(Clone, Debug)]
pub struct Call {
    /// Such as `POST /chat.postMessage`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    /// A header by its name in lower case; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target().0
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body in JSON")
    }

    /// The fields of a form body, in their order.
    pub fn form(&self) -> Vec<(String, String)> {
        fields(&self.body)
    }

    /// A field of the form or, without one, of the query.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut all = self.form().into_iter().chain(fields(self.target().1));
        all.find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn target(&self) -> (&str, &str) {
        let target = self.line.split_once(' ').map_or("", |(_, target)| target);
        target.split_once('?').unwrap_or((target, ""))
    }
}

fn fields(encoded: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded.as_bytes())
        .into_owned()
        .collect()
}

/// What to do with a call.
#[derive(Clone)]
pub enum Reply {
    /// Send these bytes and close.
    Raw(Vec<u8>),
    /// Keep the connection open and say nothing.
    Silence,
    /// Let something happen, and send these bytes only then.
    After(Event, Vec<u8>),
}

/// Something that happens while a caller waits for the answer.
pub type Event = Arc<dyn Fn() + Send + Sync>;

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(bytes) | Self::After(_, bytes) => {
                write!(formatter, "{:?}", String::from_utf8_lossy(bytes))
            }
            Self::Silence => formatter.write_str("silence"),
        }
    }
}

impl Reply {
    /// A whole answer.
    pub fn new(status: u16, body: &str) -> Self {
        Self::with_header(status, "x-test: 1", body)
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::with_header(status, "content-type: application/json", &body.to_string())
    }

    /// The same answer once this has happened.
    pub fn after(self, event: impl Fn() + Send + Sync + 'static) -> Self {
        match self {
            Self::Raw(bytes) | Self::After(_, bytes) => Self::After(Arc::new(event), bytes),
            Self::Silence => Self::Silence,
        }
    }

    /// A whole answer with one header line more.
    pub fn with_header(status: u16, header: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(
            format!(
                "HTTP/1.1 {status} Test\r\n{header}\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

/// What is answered to a call; without an answer the server hangs up.
type Answering = Arc<dyn Fn(&Call) -> Option<Reply> + Send + Sync>;

/// An address that is taken and refuses every connection, as one where nobody listens does. A port
/// that was only free a moment ago may by now be another test's server.
pub struct RefusingAddress {
    _held: tokio::net::TcpSocket,
    port: u16,
}

impl RefusingAddress {
    pub fn take() -> Self {
        let held = tokio::net::TcpSocket::new_v4().expect("a socket");
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        held.bind(any).expect("a free port");
        let port = held.local_addr().expect("a bound address").port();
        Self { _held: held, port }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// The server; it ends with the test's runtime.
pub struct Server {
    pub port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// Gives these answers in turn; calls beyond them are hung up on.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Mutex<VecDeque<Reply>> = Mutex::new(replies.into_iter().collect());
        Self::answering(move |_| replies.lock().expect("no test panics with it").pop_front()).await
    }

    /// Answers each call by what is in it.
    pub async fn answering(
        answer: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, Arc::new(answer)).await
    }

    /// The same behind TLS; answers `200 ok` to every call.
    pub async fn start_tls(config: rustls::ServerConfig) -> Self {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let answer = |_: &Call| Some(Reply::new(200, "ok"));
        Self::listen(Some(acceptor), Arc::new(answer)).await
    }

    async fn listen(acceptor: Option<tokio_rustls::TlsAcceptor>, answer: Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, record) = (acceptor.clone(), Arc::clone(&record));
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &answer, &record).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &answer, &record).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, calls }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no test panics with it").clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &Answering,
    calls: &Mutex<Vec<Call>>,
) {
    let Some(call) = read_call(&mut stream).await else {
        return;
    };
    calls
        .lock()
        .expect("no test panics with it")
        .push(call.clone());
    let bytes = match answer(&call) {
        Some(Reply::Raw(bytes)) => bytes,
        Some(Reply::After(event, bytes)) => {
            event();
            bytes
        }
        Some(Reply::Silence) => return std::future::pending().await,
        None => return,
    };
    // The client may have gone: that is its test's business.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

async fn read_call<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Call> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let headers: Vec<(String, String)> = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Call {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
