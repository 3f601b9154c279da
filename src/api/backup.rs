//! A backup, sent as it is made. What fails half way breaks the answer off, so that nobody takes
//! what came for a whole one.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::store;

use super::audit;
use super::auth::Caller;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::audit::Action;

/// Parts that wait for the client.
const PARTS_MAX: usize = 4;

/// A client that takes nothing for so long gets no backup: others wait for theirs, and checkpoints
/// stand still meanwhile.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// About how many bytes will come, for whoever shows how far it is.
const ESTIMATE: HeaderName = HeaderName::from_static("x-reveille-backup-bytes");

/// Take a backup: everything as it is after one commit, which the manifest at its end names
#[utoipa::path(
    get, path = "/v1/backup", security(("token" = ["admin"])),
    responses((status = 200, content_type = "application/octet-stream", body = String))
)]
pub async fn take(State(state): State<AppState>, caller: Caller) -> Result<Response, Problem> {
    let estimate = state.history(|store, _| Ok(store.backup_bytes())).await?;
    let mut parts = make(&state);
    // Whoever may not have one now is told so.
    let first = match parts.recv().await {
        Some(BackupPart::Bytes(bytes)) => bytes,
        Some(BackupPart::Failed(error)) => return Err(refused(error)),
        Some(BackupPart::End) | None => return Err(Problem::internal()),
    };
    // Nothing leaves before it is known who took it.
    let act = audit::event(&state, &caller, Action::BackupTaken).on("backup");
    state
        .handle
        .write_recorded(Vec::new(), act.once_done())
        .await?;
    tracing::info!(actor.name = %caller.name, "a backup is being taken");
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (ESTIMATE, estimate.to_string()),
    ];
    let parts = BackupBody {
        first: Some(first),
        rest: parts,
    };
    Ok((headers, Body::new(parts)).into_response())
}

fn refused(error: store::Error) -> Problem {
    if let store::Error::BackupUnderWay = error {
        let code = "backup_under_way";
        return Problem::new(StatusCode::CONFLICT, code, error.to_string());
    }
    error.into()
}

/// What the thread that makes a backup sends.
enum BackupPart {
    Bytes(Bytes),
    Failed(store::Error),
    End,
}

/// Makes one on a thread that may block, no faster than the parts are taken.
fn make(state: &ApiState) -> mpsc::Receiver<BackupPart> {
    let (sender, parts) = mpsc::channel(PARTS_MAX);
    let (handle, now) = (state.handle.clone(), state.now());
    let runtime = runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = PartSender { sender, runtime };
        let (store, _) = handle.store();
        let last = match store.backup(now, &mut out) {
            Ok(made) => {
                tracing::info!(store.commits = made.commits, "a backup was made");
                BackupPart::End
            }
            Err(error) => {
                tracing::warn!(%error, "a backup was not made");
                BackupPart::Failed(error)
            }
        };
        // Whoever went away need not be told.
        let _ = out.send(last);
    });
    parts
}

/// Hands parts over, and waits while there is no room.
struct PartSender {
    sender: mpsc::Sender<BackupPart>,
    runtime: runtime::Handle,
}

impl PartSender {
    fn send(&self, part: BackupPart) -> io::Result<()> {
        let sending = async { timeout(STALL_LIMIT, self.sender.send(part)).await };
        match self.runtime.block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::other("the client went away")),
            Err(_) => {
                let seconds = STALL_LIMIT.as_secs();
                let cause = format!("the client took nothing for {seconds} s");
                Err(io::Error::other(cause))
            }
        }
    }
}

impl Write for PartSender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = BackupPart::Bytes(Bytes::copy_from_slice(bytes));
        self.send(part).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of the answer.
struct BackupBody {
    first: Option<Bytes>,
    rest: mpsc::Receiver<BackupPart>,
}

impl HttpBody for BackupBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(first))));
        }
        self.rest.poll_recv(context).map(|part| match part {
            Some(BackupPart::Bytes(bytes)) => Some(Ok(http_body::Frame::data(bytes))),
            Some(BackupPart::End) => None,
            Some(BackupPart::Failed(error)) => Some(Err(io::Error::other(error.to_string()))),
            // The thread ended without a word.
            None => Some(Err(io::Error::other("the backup had an internal error"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn taken(last: Option<BackupPart>) -> Result<Bytes, axum::Error> {
        let (sender, rest) = mpsc::channel(2);
        let second = BackupPart::Bytes(Bytes::from_static(b"second"));
        for part in [Some(second), last].into_iter().flatten() {
            sender.try_send(part).ok().unwrap();
        }
        drop(sender);
        let first = Some(Bytes::from_static(b"first "));
        to_bytes(Body::new(BackupBody { first, rest }), 1_000).await
    }

    #[tokio::test]
    async fn an_answer_that_was_not_made_to_its_end_is_broken_off() {
        assert_eq!(taken(Some(BackupPart::End)).await.unwrap(), "first second");
        let failed = BackupPart::Failed(store::Error::backup(&"over 64 MiB were changed"));
        let error = taken(Some(failed)).await.unwrap_err().to_string();
        assert!(error.contains("over 64 MiB"), "{error}");
        assert!(taken(None).await.is_err(), "the thread panicked");
    }
}
