//! The cancel token of an attempt: set when its page is withdrawn, tested last before the page
//! leaves.
//!
//! Whoever acknowledged must not be asked again, so a channel tests the token after everything that
//! takes time: waiting, looking up, connecting. Nothing lies between the last test and the first
//! byte of the message: a request's body is asked for when its connection stands, a mail's text
//! when the relay waits for it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

/// Whether an attempt was withdrawn. Clones are the same token.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

/// The attempt was withdrawn before the first byte of its message left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled before the message was sent")]
pub struct Cancelled;

impl CancelToken {
    /// From now on the message must not leave; what has left cannot be called back.
    pub fn withdraw(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the message may still leave.
    pub fn test(&self) -> Result<(), Cancelled> {
        if self.0.load(Ordering::SeqCst) {
            return Err(Cancelled);
        }
        Ok(())
    }
}

/// The body of a request, asked for only when a connection stands: if the token is set by then, it
/// gives nothing, and the request ends unsent.
pub(super) struct Tested<B> {
    body: B,
    /// Tested once: a message of which a part has left is not cut off.
    mark: Option<CancelToken>,
    /// Set when the body was kept back; the error of the call does not always tell.
    kept_back: Arc<AtomicBool>,
}

impl<B> Tested<B> {
    /// The body, and what tells whether it was kept back.
    pub(super) fn new(body: B, mark: &CancelToken) -> (Self, Arc<AtomicBool>) {
        let kept_back = Arc::new(AtomicBool::new(false));
        let tested = Self {
            body,
            mark: Some(mark.clone()),
            kept_back: kept_back.clone(),
        };
        (tested, kept_back)
    }
}

impl<B> Body for Tested<B>
where
    B: Body + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = B::Data;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(Err(withdrawn)) = self.mark.take().map(|mark| mark.test()) {
            self.kept_back.store(true, Ordering::SeqCst);
            return Poll::Ready(Some(Err(withdrawn.into())));
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
