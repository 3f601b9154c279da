//! A scripted HTTP server on loopback, for tests of the channels: it records every call and gives
//! the answers it was told, misbehaviour included.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

use super::http::{Http, HttpOptions};
use crate::engine::time::Timestamp;

/// 2026-05-12T02:12:00Z.
pub const NOW: Timestamp = Timestamp(1_778_551_920_000);

/// A client whose guard lets these networks pass and whose clock stands at [`NOW`].
pub fn http(allow_networks: &[&str]) -> Arc<Http> {
    let networks = allow_networks.iter();
    let options = HttpOptions {
        clock: Arc::new(|| NOW),
        allow_networks: networks
            .map(|text| text.parse().expect("a network"))
            .collect(),
        proxy: None,
        extra_roots: Vec::new(),
    };
    Arc::new(Http::new(options).expect("a client"))
}

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

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a body in JSON")
    }

    /// The fields of a form body, decoded.
    pub fn form(&self) -> Vec<(String, String)> {
        let decode = |text: &str| -> String {
            let pair = format!("http://form/?{text}");
            let url = super::http::check_url(&pair).expect("a URL");
            let (name, _) = url.query_pairs().next().expect("a pair");
            name.into_owned()
        };
        self.body
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }
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

/// The server; it ends with the test's runtime.
pub struct Server {
    pub port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    /// Gives these answers in turn; calls beyond them are hung up on.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let (listener, port) = listen().await;
        let calls = Arc::new(Mutex::new(Vec::new()));
        let replies = Arc::new(Mutex::new(replies.into_iter().collect::<VecDeque<_>>()));
        let record = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&replies), Arc::clone(&record)));
            }
        });
        Self { port, calls }
    }

    /// The same behind TLS; answers `200 ok` to every call.
    pub async fn start_tls(config: rustls::ServerConfig) -> Self {
        let (listener, port) = listen().await;
        let calls = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&calls);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let replies = Arc::new(Mutex::new([Reply::new(200, "ok")].into()));
                let (acceptor, record) = (acceptor.clone(), Arc::clone(&record));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, replies, record).await;
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

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("a bound address").port();
    (listener, port)
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    calls: Arc<Mutex<Vec<Call>>>,
) {
    let Some(call) = read_call(&mut stream).await else {
        return;
    };
    calls.lock().expect("no test panics with it").push(call);
    let reply = replies.lock().expect("no test panics with it").pop_front();
    let bytes = match reply {
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
