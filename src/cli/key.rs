//! `key`: keys of integrations, beside those that stand in the rules.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::present;
use super::remote::{Call, Remote};
use super::report::{Failure, Report, list_as};

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key; it is shown once
    Create(Integration),
    /// Make a key and end all others that were made so
    Rotate(Integration),
    /// List keys
    List(Integration),
}

#[derive(Debug, Args)]
pub struct Integration {
    /// The integration's name
    #[arg(value_name = "INTEGRATION")]
    name: String,
}

/// Creates, rotates or lists.
pub async fn run(command: Key, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    match command {
        Key::Create(integration) => create(&remote, &integration.name).await,
        Key::Rotate(integration) => rotate(&remote, &integration.name).await,
        Key::List(integration) => {
            let answer = list_as("items", keys(&remote, &integration.name).await?);
            let text = present::admin::keys(&answer, &context.into());
            Ok(Report::new(answer, text))
        }
    }
}

async fn keys(remote: &Remote, integration: &str) -> Result<Vec<Value>, Failure> {
    remote
        .items(&["v1", "integrations", integration, "keys"], &[])
        .await
}

async fn create(remote: &Remote, integration: &str) -> Result<Report, Failure> {
    let path = ["v1", "integrations", integration, "keys"];
    let answer = remote.call(Call::post(&path, &json!({}))).await?;
    let text = present::text(&answer, "key");
    Ok(Report::new(answer, text).remark("shown once: keep it, as REVEILLE_KEY or in a safe"))
}

/// The new key is made first, so that at no moment there is none.
async fn rotate(remote: &Remote, integration: &str) -> Result<Report, Failure> {
    let old = keys(remote, integration).await?;
    let report = create(remote, integration).await?;
    let mut ended = 0;
    for key in &old {
        let id = present::text(key, "id");
        if id.is_empty() {
            continue;
        }
        remote
            .call(Call::delete(&[
                "v1",
                "integrations",
                integration,
                "keys",
                &id,
            ]))
            .await?;
        ended += 1;
    }
    Ok(report.remark(format!(
        "{ended} earlier keys open nothing any more; keys in the rules are not touched"
    )))
}
