//! The one plain page until there is a web interface. Anybody may see it, so that it names
//! incidents by number and state alone.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::html::{self, STYLE};
use crate::api::ports::{ApiState, AppState};
use crate::api::problem::Problem;
use crate::api::wire::ITEMS_MAX;
use crate::engine::incident::Incident;
use crate::runtime::handle::View;
use crate::store::Store;

/// Incidents shown.
const LINES_MAX: usize = 10;

/// The version, and the commands to post, acknowledge and explain
#[utoipa::path(
    get, path = "/", security(()),
    responses((status = 200))
)]
pub async fn show(State(state): State<AppState>) -> Response {
    match home(&state).await {
        Ok(home) => html::page(StatusCode::OK, &home),
        Err(problem) => html::refusal(&problem),
    }
}

async fn home(state: &ApiState) -> Result<Home, Problem> {
    let look = |view: View<'_>| {
        let newest = view.state.incidents().rev().take(LINES_MAX);
        let lines: Vec<IncidentRow> = newest.map(|incident| IncidentRow::of(incident)).collect();
        let open = view.state.incidents().take(ITEMS_MAX);
        (lines, open.filter(|one| one.is_open()).count())
    };
    let (mut lines, open) = state.handle.read(look).await?;
    let look = |store: &dyn Store, partition| store.closed_incidents(partition, None, LINES_MAX);
    lines.extend(state.history(look).await?.iter().map(IncidentRow::of));
    Ok(Home::new(&state.settings.public_url, open, lines))
}

/// What runs, the last incidents, and the commands to go on with.
#[derive(Template)]
#[template(path = "home.html", config = "src/web/askama.toml")]
struct Home {
    style: &'static str,
    version: &'static str,
    url: String,
    open: usize,
    lines: Vec<IncidentRow>,
    /// A number for the example commands.
    example: u64,
}

/// An incident.
struct IncidentRow {
    number: u64,
    status: &'static str,
}

impl IncidentRow {
    /// What may be shown of it.
    fn of(incident: &Incident) -> Self {
        Self {
            number: incident.number.0,
            status: incident.status.as_str(),
        }
    }
}

impl Home {
    /// The page with the newest of these lines.
    fn new(url: &str, open: usize, mut lines: Vec<IncidentRow>) -> Self {
        lines.sort_by_key(|line| std::cmp::Reverse(line.number));
        lines.truncate(LINES_MAX);
        Self {
            style: STYLE,
            version: env!("CARGO_PKG_VERSION"),
            url: url.to_owned(),
            open,
            example: lines.first().map_or(1, |line| line.number),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_numbers_states_and_commands() {
        let line = |number| IncidentRow {
            number,
            status: "triggered",
        };
        let lines = (1..=12).map(line).collect();
        let page = Home::new("https://pager.example.com", 12, lines).render();
        let page = page.unwrap();
        for expected in [
            "<td>#12</td><td>triggered</td>",
            "<td>#3</td>",
            "reveille explain 12",
            "curl https://pager.example.com/v1/events",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(!page.contains("<td>#2</td>"), "only the newest");
    }
}
