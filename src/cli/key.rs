//! `key`: keys of integrations, beside those that stand in the rules.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::remote::{Call, Remote};
use super::render;
use super::report::{Failure, Report, list_as};
use crate::api::wire::key::{Key, MadeKey};
use crate::text::clean::blanked;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; it is shown once
    Create {
        #[arg(value_name = "INTEGRATION", help = INTEGRATION)]
        integration: String,
        /// What it is for
        #[arg(long = "name", value_name = "TEXT")]
        label: Option<String>,
    },
    /// Make a key and revoke all others made by command or API
    Rotate {
        #[arg(value_name = "INTEGRATION", help = INTEGRATION)]
        integration: String,
    },
    /// List keys, of one integration or of all
    List {
        #[arg(value_name = "INTEGRATION", help = INTEGRATION)]
        integration: Option<String>,
    },
    /// Revoke a key
    Revoke {
        /// The key's id, as `list` shows it
        id: String,
    },
}

const INTEGRATION: &str = "The integration's name";

/// Creates, rotates or lists.
pub async fn run(command: KeyCommand, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    match command {
        KeyCommand::Create { integration, label } => {
            create(&remote, &integration, label.as_deref()).await
        }
        KeyCommand::Rotate { integration } => rotate(&remote, &integration).await,
        KeyCommand::Revoke { id } => revoke(&remote, &id).await,
        KeyCommand::List { integration } => {
            let (keys, items) = match &integration {
                Some(integration) => keys(&remote, integration).await?,
                None => remote.items(&["v1", "keys"], &[]).await?,
            };
            let text = render::admin::keys(&keys, &context.into());
            Ok(Report::new(list_as("items", items), text))
        }
    }
}

async fn keys(remote: &Remote, integration: &str) -> Result<(Vec<Key>, Vec<Value>), Failure> {
    remote
        .items(&["v1", "integrations", integration, "keys"], &[])
        .await
}

async fn create(
    remote: &Remote,
    integration: &str,
    label: Option<&str>,
) -> Result<Report, Failure> {
    let path = ["v1", "integrations", integration, "keys"];
    let body = label.map_or_else(|| json!({}), |label| json!({ "name": label }));
    let (made, answer): (MadeKey, _) = remote.fetch(Call::post(&path, &body)).await?;
    Ok(Report::new(answer, blanked(&made.key)).remark(
        "shown only once: store it in REVEILLE_KEY or a password \
        manager",
    ))
}

async fn revoke(remote: &Remote, id: &str) -> Result<Report, Failure> {
    remote.call(Call::delete(&["v1", "keys", id])).await?;
    let value = json!({ "id": id, "revoked": true });
    Ok(Report::new(value, format!("key {id} is revoked")))
}

/// The new key is made first, so that at no moment there is none.
async fn rotate(remote: &Remote, integration: &str) -> Result<Report, Failure> {
    let (old, _) = keys(remote, integration).await?;
    let report = create(remote, integration, None).await?;
    let ids: Vec<String> = old.into_iter().filter_map(|key| key.id).collect();
    for id in &ids {
        let path = ["v1", "integrations", integration, "keys", id];
        remote.call(Call::delete(&path)).await?;
    }
    let ended = ids.len();
    Ok(report.remark(format!(
        "revoked {ended} earlier {}; keys in the rules are unchanged",
        if ended == 1 { "key" } else { "keys" }
    )))
}
