//! `token`: API tokens of people and scripts.

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report, list_as};
use super::times;
use crate::api::wire::token::MadeToken;
use crate::text::clean::blanked;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown once
    Create(CreateTokenArgs),
    /// List tokens
    List,
    /// Revoke a token
    Revoke {
        /// The token's id, as `list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct CreateTokenArgs {
    /// The user in the rules it belongs to; without one, it is a token for a script
    #[arg(long, value_name = "NAME", required_unless_present = "name")]
    user: Option<String>,
    /// viewer, responder or admin
    #[arg(long, value_parser = ["viewer", "responder", "admin"])]
    role: String,
    /// How long it is valid [default: until revoked]
    #[arg(long, value_name = "LENGTH")]
    ttl: Option<String>,
    /// What it is for; needed without a user
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

/// Creates, lists or revokes.
pub async fn run(command: TokenCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        TokenCommand::Create(create) => self::create(&create, context).await,
        TokenCommand::List => list(context).await,
        TokenCommand::Revoke { id } => revoke(&id, context).await,
    }
}

async fn create(create: &CreateTokenArgs, context: &Context) -> Result<Report, Failure> {
    let mut body = json!({ "role": create.role });
    if let Some(user) = &create.user {
        body["user"] = user.as_str().into();
    }
    if let Some(ttl) = &create.ttl {
        body["ttl"] = times::length(ttl)
            .map_err(Failure::Usage)?
            .to_string()
            .into();
    }
    if let Some(name) = &create.name {
        body["name"] = name.as_str().into();
    }
    let call = Call::post(&["v1", "tokens"], &body);
    let (made, answer): (MadeToken, _) = context.remote()?.fetch(call).await?;
    Ok(Report::new(answer, blanked(&made.token)).remark(
        "shown only once: store it in REVEILLE_TOKEN or a \
        password manager",
    ))
}

async fn list(context: &Context) -> Result<Report, Failure> {
    let (tokens, items) = context.remote()?.items(&["v1", "tokens"], &[]).await?;
    let text = render::admin::tokens(&tokens, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

async fn revoke(id: &str, context: &Context) -> Result<Report, Failure> {
    context
        .remote()?
        .call(Call::delete(&["v1", "tokens", id]))
        .await?;
    let value = json!({ "id": id, "revoked": true });
    Ok(Report::new(value, format!("token {id} is revoked")))
}
