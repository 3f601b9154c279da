//! The life of rules over the API. A rejected set leaves the old one in force.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::ids::Revision;

use super::audit;
use super::auth::Caller;
use super::body_budget::BodyOf;
use super::extract::{Json, Path, Query, whole_body};
use super::key_origin;
use super::parse::{self, Paging};
use super::ports::{ApiState, AppState, Change, Sight};
use super::problem::Problem;
use super::wire::List;
use super::wire::audit::Action;
use super::wire::rules::{
    CheckedRules, FilesOrigin, RevisionLine, RuleFile, RuleFiles, Rules, RulesChange,
};

/// Bytes of all rule documents of one request; far above what people write, because large sets are
/// generated.
const RULES_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why the rules are changed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct MessageQuery {
    message: Option<String>,
}

/// The revision to go back to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    revision: u64,
    message: Option<String>,
}

/// The rules in force
#[utoipa::path(
    get, path = "/v1/rules", security(("token" = ["responder"])),
    responses((status = 200, body = Rules))
)]
pub async fn show(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    let revision = state.handle.rules().revision;
    let documents = documents(&state, revision).await?;
    Ok(answer(documents, &headers))
}

/// The rules of a revision
#[utoipa::path(
    get, path = "/v1/rules/revisions/{revision}", security(("token" = ["responder"])),
    responses((status = 200, body = Rules))
)]
pub async fn revision(
    State(state): State<AppState>,
    Path(revision): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let revision = Revision(parse::number("revision", &revision)?);
    let documents = documents(&state, revision).await?;
    Ok(answer(documents, &headers))
}

fn answer(rules: Rules, headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    let tag = format!("\"{}\"", rules.revision);
    let mut response = if accept.contains("yaml") {
        let kind = [(header::CONTENT_TYPE, "application/yaml")];
        (kind, as_yaml(&rules.files)).into_response()
    } else {
        Json(rules).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// All files one after the other, each a document of its own.
fn as_yaml(files: &[RuleFile]) -> String {
    let documents: Vec<String> = files
        .iter()
        .map(|file| format!("# {}\n{}", file.path, file.text.trim_end()))
        .collect();
    documents.join("\n---\n") + "\n"
}

async fn documents(state: &ApiState, revision: Revision) -> Result<Rules, Problem> {
    let asked = state.ask_rulebook(move |rulebook| rulebook.documents(revision));
    let found = asked.await??;
    found.ok_or_else(|| Problem::not_found("revision of the rules", revision))
}

/// Apply rules
#[utoipa::path(
    put, path = "/v1/rules", security(("token" = ["admin"])),
    request_body = RuleFiles,
    params(MessageQuery), responses((status = 200, body = RulesChange))
)]
pub async fn put(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<MessageQuery>,
    request: Request,
) -> Result<Json<RulesChange>, Problem> {
    let expected = expected(request.headers())?;
    let files = files(&state, request).await?;
    let change = Change {
        author: state.handle.rules().with_full_name(caller.actor()),
        at: state.now(),
        message: message(query.message.as_deref()),
        origin: FilesOrigin::AsApplied,
        expected,
    };
    apply(&state, &caller, files, change).await
}

/// Roll back to an earlier revision
#[utoipa::path(
    post, path = "/v1/rules/rollback", security(("token" = ["admin"])),
    responses((status = 200, body = RulesChange))
)]
pub async fn rollback(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Json(rollback): Json<Rollback>,
) -> Result<Json<RulesChange>, Problem> {
    let old = documents(&state, Revision(rollback.revision)).await?;
    let default = format!("back to revision {}", rollback.revision);
    let change = Change {
        author: state.handle.rules().with_full_name(caller.actor()),
        at: state.now(),
        message: message(Some(rollback.message.as_deref().unwrap_or(&default))),
        origin: old.origin,
        expected: expected(&headers)?,
    };
    apply(&state, &caller, old.files, change).await
}

async fn apply(
    state: &ApiState,
    caller: &Caller,
    files: Vec<RuleFile>,
    change: Change,
) -> Result<Json<RulesChange>, Problem> {
    let by = &caller.name;
    let act = audit::event(state, caller, Action::RulesApplied).because(change.message.clone());
    let asked = state.ask_rulebook(move |rulebook| rulebook.prepare(files, change));
    let (mut rules, mut done) = asked.await?.map_err(|faults| Problem::rules(&faults))?;
    rules.record = Some(act.on_revision());
    let revision = state.handle.apply_rules(rules).await?;
    key_origin::note_keys_of_rules(state).await;
    tracing::info!(rules.revision = revision.0, actor.name = %by, "another rule set is in force");
    done.revision = revision.0;
    Ok(Json(done))
}

/// Check rules and report all errors
#[utoipa::path(
    post, path = "/v1/rules/check", security(("token" = ["viewer"])),
    request_body = RuleFiles,
    responses((status = 200, body = CheckedRules))
)]
pub async fn check(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Json<CheckedRules>, Problem> {
    let sight = Sight::of(caller.role);
    let files = files(&state, request).await?;
    let faults = state
        .ask_rulebook(move |rulebook| rulebook.check(&files, sight))
        .await?;
    let ok = !faults.iter().any(|fault| fault.severity == "error");
    Ok(Json(CheckedRules { ok, faults }))
}

/// What rules would change
#[utoipa::path(
    post, path = "/v1/rules/diff", security(("token" = ["responder"])),
    request_body = RuleFiles,
    responses((status = 200, body = RulesChange))
)]
pub async fn diff(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Json<RulesChange>, Problem> {
    let sight = Sight::of(caller.role);
    let files = files(&state, request).await?;
    let asked = state.ask_rulebook(move |rulebook| rulebook.diff(&files, sight));
    let change = asked.await?.map_err(|faults| Problem::rules(&faults))?;
    Ok(Json(change))
}

/// List revisions, newest first
#[utoipa::path(
    get, path = "/v1/rules/revisions", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<RevisionLine>))
)]
pub async fn revisions(
    State(state): State<AppState>,
    Query(query): Query<Paging>,
) -> Result<Json<List<RevisionLine>>, Problem> {
    let limit = parse::limit(query.limit);
    let before = parse::cursor(query.cursor.as_deref())?.map(Revision);
    let asked = state.ask_rulebook(move |rulebook| rulebook.revisions(before, limit));
    Ok(Json(List::page(asked.await??, limit, |line| line.revision)))
}

/// The files of a body: `{"files":[…]}`, or one document in YAML or JSON.
async fn files(state: &ApiState, request: Request) -> Result<Vec<RuleFile>, Problem> {
    let body = whole_body(state, request, RULES_BYTES_MAX, BodyOf::Known).await?;
    let text = String::from_utf8(body.to_vec())
        .map_err(|_| Problem::invalid("the rules are not UTF-8; save the files as UTF-8"))?;
    Ok(files_in(text))
}

fn files_in(text: String) -> Vec<RuleFile> {
    match serde_json::from_str::<RuleFiles>(&text) {
        Ok(bundle) => bundle.files,
        Err(_) => vec![RuleFile {
            path: "rules.yaml".to_owned(),
            text,
        }],
    }
}

/// The revision that `If-Match` expects to be in force.
fn expected(headers: &HeaderMap) -> Result<Option<Revision>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let revision = text.parse().map(Revision).map(Some);
    revision.map_err(|_| {
        Problem::invalid(format!(
            "If-Match {text:?} is not a revision; give the number of GET /v1/rules"
        ))
    })
}

fn message(text: Option<&str>) -> String {
    parse::clean(text.unwrap_or(""), 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_takes_a_revision_in_the_forms_in_which_clients_write_it() {
        let cases = [
            ("7", Ok(Some(Revision(7)))),
            ("\"7\"", Ok(Some(Revision(7)))),
            ("W/\"7\"", Ok(Some(Revision(7)))),
            ("*", Ok(None)),
            ("seven", Err(())),
            ("", Err(())),
        ];
        for (text, wanted) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(text).unwrap());
            assert_eq!(expected(&headers).map_err(|_| ()), wanted, "{text:?}");
        }
        assert_eq!(expected(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_bundle_of_files_and_a_single_document_are_told_apart() {
        let bundle = r#"{"files":[{"path":"a.yaml","text":"users: {}"}]}"#;
        let cases = [
            (bundle, "a.yaml", "users: {}"),
            ("users: {}\n", "rules.yaml", "users: {}\n"),
            (r#"{"users":{}}"#, "rules.yaml", r#"{"users":{}}"#),
        ];
        for (body, path, text) in cases {
            let files = files_in(body.to_owned());
            assert_eq!(files.len(), 1);
            assert_eq!(
                (files[0].path.as_str(), files[0].text.as_str()),
                (path, text)
            );
        }
    }
}
