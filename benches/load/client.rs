//! A client that costs little: one kept connection, requests as bytes, and of an answer only what
//! is needed to know that it was a success and where it ends.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;
use crate::alerts::Request;

pub const CONNECTIONS: u64 = 32;

const HEAD_END: &[u8] = b"\r\n\r\n";

pub struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and waits for the end of its answer, which has to be a success.
    pub async fn send(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        while !is_whole(&self.answer)? {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        if self.answer.get(9) == Some(&b'2') {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&self.answer);
        Err(format!("a request was refused: {answer}").into())
    }
}

/// Whether an answer has come to its end.
fn is_whole(answer: &[u8]) -> Result<bool, Failure> {
    let Some(head_end) = find(answer, HEAD_END) else {
        return Ok(false);
    };
    let head = std::str::from_utf8(&answer[..head_end])?;
    let body = &answer[head_end + HEAD_END.len()..];
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(body.len() >= value.trim().parse()?);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return has_last_chunk(body);
        }
    }
    // Neither of them: an answer without a body.
    Ok(true)
}

fn has_last_chunk(mut body: &[u8]) -> Result<bool, Failure> {
    while let Some(line_end) = find(body, b"\r\n") {
        let size = std::str::from_utf8(&body[..line_end])?;
        let size = usize::from_str_radix(size.trim(), 16)?;
        let Some(rest) = body.get(line_end + 2 + size + 2..) else {
            return Ok(false);
        };
        if size == 0 {
            return Ok(true);
        }
        body = rest;
    }
    Ok(false)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|found| found == part)
}

/// Sends the requests of these numbers over all connections, each as soon as its connection is
/// free, and says how long it took.
pub async fn send_all(
    address: SocketAddr,
    request: &Request,
    numbers: Range<u64>,
) -> Result<Duration, Failure> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await?);
    }
    let next = Arc::new(AtomicU64::new(numbers.start));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let (next, mut request) = (Arc::clone(&next), request.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return Ok::<(), Failure>(());
                }
                connection.send(request.number(number)).await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(start.elapsed())
}
