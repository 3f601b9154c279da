//! One connection of a client, with limits in time: for the head of a request, and for doing
//! nothing.
//!
//! The bodies of requests have a limit of their own where they are read. The HTTP server says when
//! a head is whole: a request is under way then.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::permit::ConnectionPermit;
use super::places::{Place, Waiting};
use crate::runtime::clock;

/// What bytes come and go over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<Any: AsyncRead + AsyncWrite + Send + Unpin> Stream for Any {}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From its first byte until a head is whole; of the first one, from the connection on.
    pub head: Duration,
    /// Between two requests, and while nothing of an answer is taken. Longer than the usual limits
    /// of clients and proxies, so that it is they who close, and no request meets a closing door.
    pub idle: Duration,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionPhase {
    /// Nothing since the last answer.
    Idle,
    /// A head, and then its request until it is answered. Of the first head, what is still to come
    /// of the preface of HTTP/2, as long as it may be one.
    Request(Option<&'static [u8]>),
    /// HTTP/2: requests lie over each other, so that only silence is limited.
    Multiplexed,
}

/// The first line of HTTP/2; no method begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";
/// After this answer the client goes on with the same request.
const CONTINUE: &[u8] = b"HTTP/1.1 100";

/// The stream of a client.
pub struct Connection {
    stream: Box<dyn Stream>,
    timeouts: Timeouts,
    phase: ConnectionPhase,
    limit: Pin<Box<Sleep>>,
    /// Something of an answer was not taken yet.
    is_untaken: bool,
    /// The same, of what TLS has taken and not handed on.
    is_unflushed: bool,
    permit: ConnectionPermit,
}

impl Connection {
    /// A connection on which nothing was said yet.
    pub fn new(stream: Box<dyn Stream>, timeouts: Timeouts, permit: ConnectionPermit) -> Self {
        Self {
            stream,
            timeouts,
            phase: ConnectionPhase::Request(Some(PREFACE)),
            limit: Box::pin(sleep(timeouts.head)),
            is_untaken: false,
            is_unflushed: false,
            permit,
        }
    }

    /// Its place among the connections of the address.
    pub fn place(&self) -> &Arc<Place> {
        self.permit.place()
    }

    /// What the client is waited for, as far as the bytes tell.
    fn waiting(&self) -> Waiting {
        match self.phase {
            ConnectionPhase::Idle | ConnectionPhase::Multiplexed
                if self.is_untaken || self.is_unflushed =>
            {
                Waiting::Not
            }
            ConnectionPhase::Idle | ConnectionPhase::Multiplexed => Waiting::Idle,
            ConnectionPhase::Request(_) => Waiting::Head,
        }
    }

    fn tell_since(&self, before: Waiting) {
        let waiting = self.waiting();
        if waiting != before {
            self.place().set_waiting(waiting);
        }
    }

    /// Bytes came from the client.
    fn came(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let before = self.waiting();
        match self.phase {
            ConnectionPhase::Idle => {
                self.phase = ConnectionPhase::Request(None);
                self.limit_to(self.timeouts.head);
            }
            ConnectionPhase::Request(preface) => {
                let preface = preface.and_then(|preface| rest_of_preface(preface, bytes));
                self.phase = ConnectionPhase::Request(preface);
                if preface.is_some_and(<[u8]>::is_empty) {
                    self.phase = ConnectionPhase::Multiplexed;
                    self.limit_to(self.timeouts.idle);
                }
            }
            ConnectionPhase::Multiplexed => self.limit_to(self.timeouts.idle),
        }
        self.tell_since(before);
    }

    /// Bytes of an answer were taken.
    fn went(&mut self, bytes: &[u8], is_all: bool, context: &mut Context<'_>) {
        if bytes.starts_with(CONTINUE) {
            return;
        }
        self.answers(!is_all);
        self.wait_anew(context);
    }

    /// An answer is on its way.
    fn answers(&mut self, is_untaken: bool) {
        let before = self.waiting();
        self.is_untaken = is_untaken;
        if self.phase != ConnectionPhase::Multiplexed {
            self.phase = ConnectionPhase::Idle;
        }
        self.tell_since(before);
    }

    /// The limit is so far away from now on. It stays one timer, which mostly only moves: a new one
    /// for each request is costly.
    fn limit_to(&mut self, away: Duration) {
        self.limit.as_mut().reset(clock::deadline(away));
    }

    fn wait_anew(&mut self, context: &mut Context<'_>) {
        self.limit_to(self.timeouts.idle);
        // Whoever has written may not read again before something happens: let this be it.
        let _just_begun = self.limit.as_mut().poll(context);
    }

    /// Whether all that was written is on its way; without TLS it always is.
    fn flushed(
        &mut self,
        result: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let before = self.waiting();
        let was_unflushed = std::mem::replace(&mut self.is_unflushed, result.is_pending());
        self.tell_since(before);
        if was_unflushed != self.is_unflushed {
            self.wait_anew(context);
        }
        match result {
            Poll::Pending => self.wait(context).map(Err),
            Poll::Ready(result) => Poll::Ready(result),
        }
    }

    /// Nothing moves: an error once this has been so for too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.limit.as_mut().poll(context));
        let is_asked =
            matches!(self.phase, ConnectionPhase::Request(_)) && self.place().is_underway();
        if is_asked && !self.is_unflushed {
            // The head was whole in time, and how long the answer takes is not the client's fault.
            self.wait_anew(context);
            return Poll::Pending;
        }
        let text = "the client was silent for too long";
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text))
    }

    /// An answer is not taken.
    fn wait_to_write(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if matches!(self.phase, ConnectionPhase::Request(_)) {
            self.wait_anew(context);
        }
        self.answers(true);
        self.wait(context)
    }
}

/// What is still to come of the preface after these bytes; `None` if they are others.
fn rest_of_preface(preface: &'static [u8], bytes: &[u8]) -> Option<&'static [u8]> {
    let (now, later) = preface.split_at(preface.len().min(bytes.len()));
    bytes.starts_with(now).then_some(later)
}

/// Whether all that was offered was taken.
fn is_all(written: &io::Result<usize>, offered: usize) -> bool {
    written.as_ref().is_ok_and(|bytes| *bytes == offered)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            self.came(&buffer.filled()[filled..]);
            return Poll::Ready(result);
        }
        self.wait(context).map(Err)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write(context, bytes) {
            let is_all = is_all(&result, bytes.len());
            self.went(bytes, is_all, context);
            return Poll::Ready(result);
        }
        self.wait_to_write(context).map(Err)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if let Poll::Ready(result) = written {
            let offered = slices.iter().map(|slice| slice.len()).sum();
            let first = slices.first().map_or(&[][..], |slice| &**slice);
            self.went(first, is_all(&result, offered), context);
            return Poll::Ready(result);
        }
        self.wait_to_write(context).map(Err)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.flushed(result, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.flushed(result, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preface_of_http_2_is_told_from_methods_however_it_is_cut() {
        let cases: [(&[&str], bool); 6] = [
            (&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], true),
            (&["P", "RI * HTTP/2.0\r", "\n\r\n"], true),
            (&["PRI * HTTP/2.0\r\n"], false),
            (&["PRI", " * HTTP/1.1\r\n\r\n"], false),
            (&["PROPFIND / HTTP/1.1\r\n\r\n"], false),
            (&["APRI / HTTP/1.1\r\n\r\n"], false),
        ];
        for (parts, expected) in cases {
            let rest = parts.iter().try_fold(PREFACE, |preface, part| {
                rest_of_preface(preface, part.as_bytes())
            });
            assert_eq!(rest.is_some_and(<[u8]>::is_empty), expected, "{parts:?}");
        }
    }
}
