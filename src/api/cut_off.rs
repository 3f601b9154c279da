//! The answer where no answer would be true: the connection is closed instead.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A body that breaks before its first byte: the server then closes the connection without having
/// sent a status line. Used when no answer would be true.
pub struct CutOff;

impl CutOff {
    /// A response of which nothing reaches the client.
    pub fn response() -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, Body::new(Self)).into_response()
    }
}

impl HttpBody for CutOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("answers cannot be true"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over a real socket, because it is the server's behaviour that matters.
    #[tokio::test]
    async fn a_response_that_is_cut_off_sends_no_status_line() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let router = axum::Router::new().route("/", axum::routing::get(CutOff::response_async));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        server.abort();
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    }

    impl CutOff {
        async fn response_async() -> Response {
            Self::response()
        }
    }
}
