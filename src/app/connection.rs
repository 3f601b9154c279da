//! One connection of a client, with limits in time: for the head of a request, and for doing
//! nothing.
//!
//! The bodies of requests have a limit of their own where they are read. This file only looks for
//! the end of a head as the bytes pass; what they mean is for the HTTP server.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::arrival::Stream;
use super::listener::ConnectionPermit;
use super::places::{Place, Waiting};

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
enum Phase {
    /// Nothing since the last answer.
    Idle,
    Head(Head),
    /// A body, or an answer in the making.
    Busy,
    /// HTTP/2: requests lie over each other, so that only silence is limited.
    Multiplexed,
}

/// How far a head was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Head {
    bytes: usize,
    is_preface: bool,
    line_ends: u8,
}

/// The first letters of HTTP/2; no method begins so.
const PREFACE: &[u8] = b"PRI";
/// After this answer the client goes on with the same request.
const CONTINUE: &[u8] = b"HTTP/1.1 100";

/// The stream of a client.
pub struct Connection {
    stream: Box<dyn Stream>,
    timeouts: Timeouts,
    phase: Phase,
    limit: Option<Pin<Box<Sleep>>>,
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
            phase: Phase::Head(Head::default()),
            limit: Some(Box::pin(sleep(timeouts.head))),
            is_untaken: false,
            is_unflushed: false,
            permit,
        }
    }

    /// Its place among the connections of the address.
    pub fn place(&self) -> &Arc<Place> {
        self.permit.place()
    }

    /// Bytes came from the client.
    fn came(&mut self, bytes: &[u8]) {
        let before = self.waiting();
        self.follow(bytes);
        self.tell_since(before);
    }

    /// What the client is waited for, as far as the bytes tell.
    fn waiting(&self) -> Waiting {
        match self.phase {
            Phase::Idle | Phase::Multiplexed if self.is_untaken || self.is_unflushed => {
                Waiting::Not
            }
            Phase::Idle | Phase::Multiplexed => Waiting::Idle,
            Phase::Head(_) => Waiting::Head,
            Phase::Busy => Waiting::Not,
        }
    }

    fn tell_since(&self, before: Waiting) {
        let waiting = self.waiting();
        if waiting != before {
            self.place().set_waiting(waiting);
        }
    }

    fn follow(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let head = match self.phase {
            Phase::Idle => {
                self.limit = Some(Box::pin(sleep(self.timeouts.head)));
                Head::default()
            }
            Phase::Head(head) => head,
            Phase::Multiplexed => {
                self.limit = Some(Box::pin(sleep(self.timeouts.idle)));
                return;
            }
            Phase::Busy => return,
        };
        let head = head.with(bytes);
        self.phase = match (head.is_whole(), head.is_preface) {
            (false, _) => Phase::Head(head),
            (true, false) => Phase::Busy,
            (true, true) => Phase::Multiplexed,
        };
        match self.phase {
            Phase::Busy => self.limit = None,
            Phase::Multiplexed => self.limit = Some(Box::pin(sleep(self.timeouts.idle))),
            Phase::Idle | Phase::Head(_) => {}
        }
    }

    /// Bytes of an answer were taken.
    fn went(&mut self, bytes: &[u8], is_all: bool, context: &mut Context<'_>) {
        if bytes.starts_with(CONTINUE) {
            return;
        }
        let before = self.waiting();
        self.is_untaken = !is_all;
        if self.phase != Phase::Multiplexed {
            self.phase = Phase::Idle;
        }
        self.tell_since(before);
        self.wait_anew(context);
    }

    fn wait_anew(&mut self, context: &mut Context<'_>) {
        let mut limit = Box::pin(sleep(self.timeouts.idle));
        // Whoever has written may not read again before something happens: let this be it.
        let _just_begun = limit.as_mut().poll(context);
        self.limit = Some(limit);
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
        if result.is_pending() {
            let idle = self.timeouts.idle;
            self.limit.get_or_insert_with(|| Box::pin(sleep(idle)));
            return self.wait(context).map(Err);
        }
        if was_unflushed {
            self.wait_anew(context);
        }
        result
    }

    /// Nothing moves: an error once this has been so for too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let Some(limit) = &mut self.limit else {
            return Poll::Pending;
        };
        limit.as_mut().poll(context).map(|()| {
            let text = "the client was silent for too long";
            io::Error::new(io::ErrorKind::TimedOut, text)
        })
    }

    /// An answer is not taken.
    fn wait_to_write(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let before = self.waiting();
        self.is_untaken = true;
        self.tell_since(before);
        let idle = self.timeouts.idle;
        self.limit.get_or_insert_with(|| Box::pin(sleep(idle)));
        self.wait(context)
    }
}

impl Head {
    /// The same after more bytes; what follows the head is not looked at.
    fn with(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            if self.is_whole() {
                return self;
            }
            match byte {
                // Empty lines before a request are allowed and end nothing.
                b'\r' | b'\n' if self.bytes == 0 => continue,
                b'\n' => self.line_ends += 1,
                b'\r' => {}
                _ => self.line_ends = 0,
            }
            let is_so_far = self.bytes == 0 || self.is_preface;
            if let Some(expected) = PREFACE.get(self.bytes) {
                self.is_preface = is_so_far && byte == expected;
            }
            self.bytes += 1;
        }
        self
    }

    fn is_whole(self) -> bool {
        self.line_ends >= 2
    }
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
    fn the_end_of_a_head_is_found_however_it_is_cut() {
        let cases: [(&[&str], bool); 8] = [
            (&["GET / HTTP/1.1\r\nhost: a\r\n\r\n"], true),
            (&["GET / HTTP/1.1\r\nhost: a\r\n", "\r\n"], true),
            (&["GET / HTTP/1.1\r\nhost: a\r", "\n\r", "\nbody"], true),
            (&["GET / HTTP/1.1\nhost: a\n\n"], true),
            (&["\r\n\r\nGET / HTTP/1.1\r\n"], false),
            (&["\r\n\r\n\r\n"], false),
            (&["GET / HTTP/1.1\r\nhost: a\r\nx"], false),
            (&["", "G"], false),
        ];
        for (parts, expected) in cases {
            let parts_read = parts.iter().map(|part| part.as_bytes());
            let head = parts_read.fold(Head::default(), Head::with);
            assert_eq!(head.is_whole(), expected, "{parts:?}");
        }
    }

    #[test]
    fn the_preface_of_http_2_is_told_from_methods() {
        for (text, expected) in [
            ("PRI * HTTP/2.0\r\n\r\n", true),
            ("PROPFIND / HTTP/1.1\r\n\r\n", false),
            ("APRI / HTTP/1.1\r\n\r\n", false),
        ] {
            let head = Head::default().with(text.as_bytes());
            assert_eq!(
                (head.is_whole(), head.is_preface),
                (true, expected),
                "{text}"
            );
        }
    }
}
