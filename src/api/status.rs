//! Our own status pages: how they are and why, and what people write on them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::engine::ids::StatusPageName;
use crate::engine::status_act::{NewPost, SaidUpdate, StatusAct, StatusActKind};
use crate::engine::status_post::{PostKind, PostState, StatusPost};
use crate::engine::status_report::{ComponentState, Impact};
use crate::runtime::handle::View;
use crate::status_page::projection::url;

use super::actions::Nothing;
use super::audit;
use super::auth::Caller;
use super::extract::{Json, Path};
use super::parse;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::List;
use super::wire::audit::Action;
use super::wire::status as wire;
use super::wire::status::{PostRef, ShownComponent, ShownPost, ShownStatusPage};

/// What an update says.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenUpdate {
    /// Such as `investigating`; without it as before, or the first one of the kind.
    #[schema(value_type = Option<String>)]
    state: Option<PostState>,
    /// Markdown; without it the text of the rules for the state.
    text: Option<String>,
    /// `none`, `minor`, `major` or `critical`; without it as bad as the components were at worst.
    #[schema(value_type = Option<String>)]
    impact: Option<Impact>,
    #[serde(default)]
    components: Vec<NamedComponent>,
    /// The next update is promised within so long, such as `1h`.
    next_within: Option<String>,
}

/// A component, and how it is if somebody says so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedComponent {
    /// Its id, name, or `group / name`.
    component: String,
    #[schema(value_type = Option<String>)]
    state: Option<ComponentState>,
}

/// A new post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenPost {
    /// `incident`, `maintenance` or `announcement`.
    #[schema(value_type = String)]
    kind: PostKind,
    title: String,
    /// RFC 3339: when a maintenance begins, and when it ends.
    scheduled_for: Option<String>,
    scheduled_until: Option<String>,
    /// Readers do not see it until it is published.
    #[serde(default)]
    is_draft: bool,
    #[serde(default)]
    update: WrittenUpdate,
}

/// Other words for what was written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditedPost {
    title: Option<String>,
    /// Of the update.
    text: Option<String>,
    /// The number of the update; the last one without it.
    update: Option<u64>,
}

/// How a component is, and until when that holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetState {
    #[schema(value_type = String)]
    state: ComponentState,
    /// RFC 3339; or `for`.
    until: Option<String>,
    /// A length such as `2h`; or `until`.
    #[serde(rename = "for")]
    for_: Option<String>,
}

/// List our own status pages
#[utoipa::path(
    get, path = "/v1/status", security(("token" = ["viewer"])),
    responses((status = 200, body = List<ShownStatusPage>))
)]
pub async fn list(State(state): State<AppState>) -> Result<Json<List<ShownStatusPage>>, Problem> {
    let public_url = state.settings.public_url.clone();
    let look = move |view: View<'_>| {
        let pages = view.rules.status_pages.pages.values();
        let pages = pages.map(|page| {
            let around = (view.state, &**view.rules);
            wire::page(around, page, view.now, &public_url)
        });
        pages.collect()
    };
    let items = state.handle.read(look).await?;
    Ok(Json(List { items, next: None }))
}

/// Show a status page, with drafts and with what waits to be published
#[utoipa::path(
    get, path = "/v1/status/{page}", security(("token" = ["viewer"])),
    responses((status = 200, body = ShownStatusPage))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(page): Path<String>,
) -> Result<Json<ShownStatusPage>, Problem> {
    let name = StatusPageName::from(page);
    let public_url = state.settings.public_url.clone();
    let wanted = name.clone();
    let look = move |view: View<'_>| {
        let page = view.rules.status_pages.pages.get(&wanted)?;
        let around = (view.state, &**view.rules);
        Some(wire::page(around, page, view.now, &public_url))
    };
    let shown = state.handle.read(look).await?;
    let shown = shown.ok_or_else(|| Problem::not_found("status page", &name))?;
    Ok(Json(shown))
}

/// Explain why a component is as it is
#[utoipa::path(
    get, path = "/v1/status/{page}/components/{component}", security(("token" = ["viewer"])),
    responses((status = 200, body = ShownComponent))
)]
pub async fn component(
    State(state): State<AppState>,
    Path((page, component)): Path<(String, String)>,
) -> Result<Json<ShownComponent>, Problem> {
    let name = StatusPageName::from(page);
    let wanted = (name.clone(), component.clone());
    let look = move |view: View<'_>| {
        let (name, component) = wanted;
        let page = view.rules.status_pages.pages.get(&name)?;
        let known = page.components_called(&component).next()?;
        let around = (view.state, &**view.rules);
        Some(wire::component(around, (page, known), view.now))
    };
    let shown = state.handle.read(look).await?;
    let missing = || Problem::not_found("component", format_args!("{name}/{component}"));
    Ok(Json(shown.ok_or_else(missing)?))
}

/// Set how a component is, until a moment
#[utoipa::path(
    put, path = "/v1/status/{page}/components/{component}", security(("token" = ["responder"])),
    responses((status = 200, body = ShownComponent))
)]
pub async fn set(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, component)): Path<(String, String)>,
    Json(set): Json<SetState>,
) -> Result<Json<ShownComponent>, Problem> {
    let now = state.now();
    let until = parse::end(set.until.as_deref(), set.for_.as_deref(), now)?;
    let kind = StatusActKind::Set {
        component: component.as_str().into(),
        state: set.state,
        until,
    };
    act(&state, &caller, &page, kind).await?;
    self::component(State(state), Path((page, component))).await
}

/// Let the rules say again how a component is
#[utoipa::path(
    delete, path = "/v1/status/{page}/components/{component}",
    security(("token" = ["responder"])), responses((status = 200, body = ShownComponent))
)]
pub async fn follow(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, component)): Path<(String, String)>,
) -> Result<Json<ShownComponent>, Problem> {
    let kind = StatusActKind::FollowRules {
        component: component.as_str().into(),
    };
    act(&state, &caller, &page, kind).await?;
    self::component(State(state), Path((page, component))).await
}

/// Write a post
#[utoipa::path(
    post, path = "/v1/status/{page}/posts", security(("token" = ["responder"])),
    responses((status = 201, body = PostRef))
)]
pub async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Path(page): Path<String>,
    Json(written): Json<WrittenPost>,
) -> Result<(StatusCode, Json<PostRef>), Problem> {
    let moment = |field: &str, at: &Option<String>| {
        let at = at.as_deref();
        at.map(|at| parse::moment(field, at)).transpose()
    };
    let new = NewPost {
        kind: written.kind,
        title: line(&written.title).into(),
        scheduled_for: moment("scheduled_for", &written.scheduled_for)?,
        scheduled_until: moment("scheduled_until", &written.scheduled_until)?,
        is_draft: written.is_draft,
        said: said(written.update)?,
    };
    let post = act(&state, &caller, &page, StatusActKind::Post(new)).await?;
    Ok((StatusCode::CREATED, Json(post)))
}

/// Show a post
#[utoipa::path(
    get, path = "/v1/status/{page}/posts/{number}", security(("token" = ["viewer"])),
    responses((status = 200, body = ShownPost))
)]
pub async fn post(
    State(state): State<AppState>,
    Path((page, number)): Path<(String, String)>,
) -> Result<Json<ShownPost>, Problem> {
    let number = parse::number("post", &number)?;
    let name = StatusPageName::from(page);
    let wanted = name.clone();
    let look = move |view: View<'_>| {
        let page = view.rules.status_pages.pages.get(&wanted)?;
        let mut posts = view.state.status_posts_of(&wanted);
        let known = posts.find(|known| known.key.number == number)?;
        Some(wire::post(page, known))
    };
    let shown = state.handle.read(look).await?;
    let missing = || Problem::not_found("post", format_args!("{name}/{number}"));
    Ok(Json(shown.ok_or_else(missing)?))
}

/// Add an update to a post
#[utoipa::path(
    post, path = "/v1/status/{page}/posts/{number}/updates", security(("token" = ["responder"])),
    responses((status = 201, body = PostRef))
)]
pub async fn update(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, number)): Path<(String, String)>,
    Json(written): Json<WrittenUpdate>,
) -> Result<(StatusCode, Json<PostRef>), Problem> {
    let post = parse::number("post", &number)?;
    let said = said(written)?;
    let post = act(&state, &caller, &page, StatusActKind::Update { post, said }).await?;
    Ok((StatusCode::CREATED, Json(post)))
}

/// Change the words of a post
#[utoipa::path(
    put, path = "/v1/status/{page}/posts/{number}", security(("token" = ["responder"])),
    responses((status = 200, body = PostRef))
)]
pub async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, number)): Path<(String, String)>,
    Json(edited): Json<EditedPost>,
) -> Result<Json<PostRef>, Problem> {
    let kind = StatusActKind::Edit {
        post: parse::number("post", &number)?,
        update: edited.update,
        title: edited.title.map(|title| line(&title).into()),
        text: edited.text.map(|text| lines(&text).into()),
    };
    Ok(Json(act(&state, &caller, &page, kind).await?))
}

/// Publish a draft
#[utoipa::path(
    post, path = "/v1/status/{page}/posts/{number}/publish", security(("token" = ["responder"])),
    responses((status = 200, body = PostRef))
)]
pub async fn publish(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, number)): Path<(String, String)>,
    _: Json<Nothing>,
) -> Result<Json<PostRef>, Problem> {
    let post = parse::number("post", &number)?;
    let kind = StatusActKind::Publish { post };
    Ok(Json(act(&state, &caller, &page, kind).await?))
}

/// Delete a post
#[utoipa::path(
    delete, path = "/v1/status/{page}/posts/{number}", security(("token" = ["responder"])),
    responses((status = 204))
)]
pub async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    Path((page, number)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let post = parse::number("post", &number)?;
    act(&state, &caller, &page, StatusActKind::Delete { post }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn said(written: WrittenUpdate) -> Result<SaidUpdate, Problem> {
    let next_within = written.next_within.as_deref();
    let next_within = next_within.map(|length| parse::length("next_within", length));
    let components = written.components.into_iter();
    Ok(SaidUpdate {
        state: written.state,
        text: written.text.map(|text| lines(&text).into()),
        impact: written.impact,
        components: components
            .map(|named| (named.component.into(), named.state))
            .collect(),
        next_within: next_within.transpose()?,
    })
}

/// One line without control characters. What is too long is refused, and not cut.
fn line(text: &str) -> String {
    let spaced = |letter: char| if letter.is_control() { ' ' } else { letter };
    let text = text.trim().chars().take(StatusPost::TEXT_CHARACTERS + 1);
    text.map(spaced).collect()
}

/// The same, with the ends of lines that Markdown needs.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let is_kept = |letter: &char| !letter.is_control() || matches!(letter, '\n' | '\t');
    let text = text.trim().chars().filter(is_kept);
    text.take(StatusPost::TEXT_CHARACTERS + 1).collect()
}

/// Does it, and keeps in the audit that it was done.
async fn act(
    state: &ApiState,
    caller: &Caller,
    page: &str,
    kind: StatusActKind,
) -> Result<PostRef, Problem> {
    let name = StatusPageName::from(page);
    let rules = state.handle.rules();
    let known = rules.status_pages.pages.get(&name);
    let known = known.ok_or_else(|| Problem::not_found("status page", &name))?;
    let subject = format!("status page {name}");
    let act = audit::event(state, caller, Action::StatusPageChanged).on(subject);
    let act = act.because(told(&kind));
    let request = StatusAct {
        page: name,
        actor: caller.actor(),
        kind,
    };
    let post = state.handle.ask(request, Some(act.once_done())).await?;
    Ok(PostRef {
        page: page.to_owned(),
        number: post.unwrap_or_default(),
        url: url(known, &state.settings.public_url).to_string(),
    })
}

/// What was done, for the audit.
fn told(kind: &StatusActKind) -> String {
    match kind {
        StatusActKind::Post(new) => format!("post {:?}", new.title),
        StatusActKind::Update { post, .. } => format!("update of post {post}"),
        StatusActKind::Edit { post, .. } => format!("other words in post {post}"),
        StatusActKind::Publish { post } => format!("post {post} published"),
        StatusActKind::Delete { post } => format!("post {post} deleted"),
        StatusActKind::Set {
            component,
            state,
            until,
        } => format!("{component} {state} until {until}"),
        StatusActKind::FollowRules { component } => format!("{component} by the rules again"),
    }
}
