//! The server's API as commands use it: one client with time limits, and every answer that is not
//! a success turned into words that name the thing, the value and the fix.

use std::path::Path;
use std::time::Duration;

pub use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::api::wire::List;
use crate::text::{clean::blanked, truncate::prefix};

use super::report::Failure;

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// A file of any length comes within this, and without a pause of [`STALL_LIMIT`].
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
const STALL_LIMIT: Duration = Duration::from_secs(60);
/// Items that are followed over several answers.
const ITEMS_MAX: usize = 5_000;

/// One request.
pub struct Call<'call> {
    method: Method,
    path: Vec<&'call str>,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl<'call> Call<'call> {
    /// Reads.
    pub fn get(path: &[&'call str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// Does, with a body.
    pub fn post(path: &[&'call str], body: &Value) -> Self {
        Self::new(Method::POST, path).body(body.to_string())
    }

    /// Replaces.
    pub fn put(path: &[&'call str], body: &Value) -> Self {
        Self::new(Method::PUT, path).body(body.to_string())
    }

    /// Removes.
    pub fn delete(path: &[&'call str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    fn new(method: Method, path: &[&'call str]) -> Self {
        Self {
            method,
            path: path.to_vec(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// With a parameter, if it has a value.
    pub fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a body that is sent as it is.
    pub fn body(mut self, body: String) -> Self {
        self.body = Some(body);
        self
    }

    /// Only if the revision is still this one.
    pub fn if_match(self, revision: Option<u64>) -> Self {
        self.header("if-match", revision.map(|it| format!("\"{it}\"")))
    }

    /// With the fingerprint of the key under which the event was made.
    pub fn made_under_key(self, fingerprint: Option<&str>) -> Self {
        self.header(MADE_UNDER_KEY, fingerprint.map(str::to_owned))
    }

    fn header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }
}

/// Says under which key an event was made, where another one authenticates.
const MADE_UNDER_KEY: &str = "x-reveille-made-under-key";

/// What a server answered, whatever it was.
pub struct ServerAnswer {
    pub status: StatusCode,
    pub value: Value,
}

/// A file that a server is sending.
pub struct Download<'remote> {
    remote: &'remote Remote,
    response: reqwest::Response,
}

impl Download<'_> {
    /// A number in a header of the answer.
    pub fn number(&self, header: &str) -> Option<u64> {
        let value = self.response.headers().get(header)?;
        value.to_str().ok()?.parse().ok()
    }

    /// What comes next of it; `None` at its end. An answer that was broken off is a failure.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]>>, Failure> {
        let chunk = timeout(STALL_LIMIT, self.response.chunk()).await;
        let chunk = chunk.map_err(|_| self.remote.stalled())?;
        chunk.map_err(|error| {
            Failure::Server(format!(
                "{} broke off: {}; its log says why",
                self.remote.url,
                chain(&error)
            ))
        })
    }
}

/// The server.
pub struct Remote {
    client: reqwest::Client,
    base: Url,
    /// As it was given.
    url: String,
    token: Option<String>,
    /// Said when the server asks for a token and there is none.
    hint: Option<String>,
}

impl Remote {
    /// Prepares the client, with a bearer token or as nobody; nothing is sent yet. The certificates
    /// in the file `ca` are trusted beside those of the system.
    pub fn new(url: &str, token: Option<&str>, ca: Option<&Path>) -> Result<Self, Failure> {
        let unclear = || {
            Failure::Usage(format!(
                "REVEILLE_URL = {url:?} is not a URL: write one such as http://127.0.0.1:8080"
            ))
        };
        if url.contains('@') {
            // Messages name the address.
            let words = "REVEILLE_URL contains a user name or password: write only the URL, and \
                put the token into REVEILLE_TOKEN";
            return Err(Failure::Usage(words.to_owned()));
        }
        let base = Url::parse(url).map_err(|_| unclear())?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(unclear());
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("reveille/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30));
        if base.scheme() == "http" {
            // Works on machines without any certificates, and around a proxy to oneself.
            builder = builder.tls_certs_only([]).no_proxy();
        } else if let Some(ca) = ca {
            builder = builder.tls_certs_merge(certificates(ca)?);
        }
        let client = builder.build().map_err(|error| {
            Failure::Server(format!("failed to prepare a client: {}", chain(&error)))
        })?;
        Ok(Self {
            client,
            base,
            url: url.to_owned(),
            token: token.map(str::to_owned),
            hint: None,
        })
    }

    /// The same; without a token, `hint` says how to give one.
    pub fn with_hint(mut self, hint: String) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The server's address without what secrets may be in it.
    pub fn server(&self) -> String {
        let mut base = self.base.clone();
        // Both fail only for addresses that cannot hold any.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.as_str().trim_end_matches('/').to_owned()
    }

    /// Sends a request; an answer that is not a success is a failure.
    pub async fn call(&self, call: Call<'_>) -> Result<Value, Failure> {
        let answer = self.try_call(call).await?;
        if answer.status.is_success() {
            return Ok(answer.value);
        }
        Err(self.refusal(&answer))
    }

    /// Sends a request; only an absent server is a failure.
    pub async fn try_call(&self, call: Call<'_>) -> Result<ServerAnswer, Failure> {
        let request = self.request(call)?;
        let response = request.send().await.map_err(|error| self.absence(&error))?;
        self.answer(response).await
    }

    /// Sends a request whose answer is a file of whatever length.
    pub async fn download(&self, call: Call<'_>) -> Result<Download<'_>, Failure> {
        let request = self.request(call)?.timeout(DOWNLOAD_LIMIT);
        let response = timeout(STALL_LIMIT, request.send()).await;
        let response = response.map_err(|_| self.stalled())?;
        let response = response.map_err(|error| self.absence(&error))?;
        if !response.status().is_success() {
            return Err(self.refusal(&self.answer(response).await?));
        }
        Ok(Download {
            remote: self,
            response,
        })
    }

    fn stalled(&self) -> Failure {
        let seconds = STALL_LIMIT.as_secs();
        Failure::Server(format!(
            "{} sent nothing for {seconds} s: check its log and try again",
            self.url
        ))
    }

    fn request(&self, call: Call<'_>) -> Result<reqwest::RequestBuilder, Failure> {
        let mut request = self
            .client
            .request(call.method, self.address(&call.path, &call.query));
        if let Some(token) = &self.token {
            let unusable = "the token contains characters that a token cannot have";
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Failure::Usage(unusable.into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        Ok(request)
    }

    async fn answer(&self, response: reqwest::Response) -> Result<ServerAnswer, Failure> {
        let status = response.status();
        let body = self.read(response).await?;
        let value = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
        Ok(ServerAnswer { status, value })
    }

    /// Sends a request; the answer in the shape that the API gives it, and as it was sent.
    pub async fn fetch<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<(T, Value), Failure> {
        let value = self.call(call).await?;
        Ok((read(&value)?, value))
    }

    /// All items of a list, over as many answers as it takes, and as they were sent; at most
    /// [`ITEMS_MAX`].
    pub async fn items<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&'static str, Option<String>)],
    ) -> Result<(Vec<T>, Vec<Value>), Failure> {
        self.first_items(path, query, ITEMS_MAX).await
    }

    /// Items of a list, over as many answers as it takes to have `most` of them.
    pub async fn first_items<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&'static str, Option<String>)],
        most: usize,
    ) -> Result<(Vec<T>, Vec<Value>), Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let call = query
                .iter()
                .fold(Call::get(path), |call, (name, value)| {
                    call.query(name, value.clone())
                })
                .query("cursor", cursor);
            let list: List<Value> = read(&self.call(call).await?)?;
            items.extend(list.items);
            cursor = list.next;
            if cursor.is_none() || items.len() >= most {
                let read = items.iter().map(read).collect::<Result<_, _>>()?;
                return Ok((read, items));
            }
        }
    }

    fn address(&self, path: &[&str], query: &[(&'static str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.absence(&error))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let message = format!("{} answered with more than 64 MiB: ask for less", self.base);
                return Err(Failure::Server(message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn absence(&self, error: &reqwest::Error) -> Failure {
        let url = &self.url;
        Failure::Server(if error.is_connect() {
            format!(
                "no server at {url} ({}): start one with `reveille serve`, or set REVEILLE_URL",
                chain(error)
            )
        } else if error.is_timeout() {
            format!("the server at {url} did not answer in time: check its log and try again")
        } else {
            format!("failed to talk to {url}: {}", chain(error))
        })
    }

    /// The failure behind an answer that is no success.
    pub fn refusal(&self, answer: &ServerAnswer) -> Failure {
        let status = answer.status;
        let mut message = explanation(answer);
        if status == StatusCode::UNAUTHORIZED
            && let Some(hint) = &self.hint
        {
            message = hint.clone();
        }
        match status {
            StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::GONE
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::UNPROCESSABLE_ENTITY => Failure::NotSo(message),
            status => Failure::Server(format!(
                "{} refused ({}): {message}",
                self.url,
                status.as_u16()
            )),
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Failure> {
    let unusable = |problem: String| {
        Failure::Usage(format!(
            "{} has no usable certificates ({problem}): they must be PEM",
            path.display()
        ))
    };
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&text);
    let certificates = certificates.map_err(|error| unusable(chain(&error)))?;
    if certificates.is_empty() {
        return Err(unusable("it contains none".to_owned()));
    }
    Ok(certificates)
}

/// The words of a problem document, with its faults; else the start of the body. Each is one line.
fn explanation(answer: &ServerAnswer) -> String {
    let text = |name: &str| answer.value.get(name).and_then(Value::as_str);
    let said = text("detail").or_else(|| text("title")).map(blanked);
    let raw = answer
        .value
        .as_str()
        .map(|body| blanked(prefix(body.trim(), 300)));
    let mut message = said
        .or_else(|| raw.filter(|body| !body.is_empty()))
        .unwrap_or_else(|| {
            answer
                .status
                .canonical_reason()
                .unwrap_or("no reason given")
                .to_owned()
        });
    let faults = answer.value.get("faults").and_then(Value::as_array);
    for fault in faults.into_iter().flatten().take(20) {
        let part = |name: &str| fault.get(name).and_then(Value::as_str).map(blanked);
        let path = part("path").unwrap_or_default();
        let problem = part("problem")
            .or_else(|| part("message"))
            .unwrap_or_default();
        message.push_str(&format!("\n  {path}: {problem}"));
    }
    message
}

/// An error with its causes; the address stands in the sentence already.
fn chain(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// An answer as the shape that the API gives it.
pub fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, Failure> {
    T::deserialize(answer).map_err(|error| {
        let error = blanked(&error.to_string());
        Failure::Server(format!(
            "the server's answer is not understood: {error}; use the `reveille` of its version"
        ))
    })
}
