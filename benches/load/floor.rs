//! The bare floor: a server that reads the same body as JSON, makes it durable together with all
//! others that wait, answers, and does nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Failure;

/// An alert as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the floor reads the body and does nothing with it"
)]
struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
}

/// A body and who waits until it is durable.
struct Waiting {
    body: Bytes,
    done: oneshot::Sender<()>,
}

/// This program again, as the floor.
pub fn command(folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let file = folder.join("floor");
    command.arg("--floor").arg(file);
    command.args(["--port", &address.port().to_string()]);
    Ok(command)
}

pub async fn serve(file: &Path, port: u16) -> Result<(), Failure> {
    let file = File::create(file)?;
    let (sender, receiver) = channel();
    thread::spawn(move || write_groups(file, &receiver));
    let router = Router::new()
        .route("/", get(StatusCode::OK))
        .route("/api/v2/alerts", post(accept))
        .with_state(sender);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

async fn accept(State(sender): State<Sender<Waiting>>, body: Bytes) -> StatusCode {
    if serde_json::from_slice::<Vec<Alert>>(&body).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let (done, is_done) = oneshot::channel();
    let was_sent = sender.send(Waiting { body, done }).is_ok();
    match was_sent && is_done.await.is_ok() {
        true => StatusCode::OK,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// All bodies that wait are appended and made durable at once. After a failure nobody is answered
/// any more, and the load ends with it.
fn write_groups(mut file: File, receiver: &Receiver<Waiting>) {
    let mut bytes = Vec::new();
    while let Ok(first) = receiver.recv() {
        let mut group = vec![first];
        group.extend(receiver.try_iter());
        bytes.clear();
        for waiting in &group {
            bytes.extend_from_slice(&waiting.body);
        }
        if file
            .write_all(&bytes)
            .and_then(|()| file.sync_data())
            .is_err()
        {
            return;
        }
        for waiting in group {
            // Who went away needs no answer.
            let _ = waiting.done.send(());
        }
    }
}
