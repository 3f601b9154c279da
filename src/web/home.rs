//! The one plain page until there is a web interface. Anybody may see it, so that it names
//! incidents by number and state alone.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::html::{self, STYLE};
use crate::api::problem::Problem;
use crate::api::words::ITEMS_MAX;
use crate::api::{ApiState, Shared};
use crate::engine::incident::Incident;
use crate::runtime::handle;
use crate::store::Store;

/// Incidents shown.
const LINES_MAX: usize = 10;

#[derive(Template)]
#[template(path = "home.html", config = "src/web/askama.toml")]
struct Home {
    style: &'static str,
    version: &'static str,
    url: String,
    open: usize,
    lines: Vec<Line>,
    /// A number for the example commands.
    example: u64,
}

struct Line {
    number: u64,
    status: &'static str,
}

impl Line {
    fn of(incident: &Incident) -> Self {
        Self {
            number: incident.number.0,
            status: incident.status.as_str(),
        }
    }
}

/// `GET /`
pub async fn show(State(state): State<Shared>) -> Response {
    match home(&state).await {
        Ok(home) => html::page(StatusCode::OK, &home),
        Err(problem) => html::refusal(&problem),
    }
}

async fn home(state: &ApiState) -> Result<Home, Problem> {
    let look = |view: handle::View<'_>| {
        let newest = view.state.incidents().rev().take(LINES_MAX);
        let lines: Vec<Line> = newest.map(|incident| Line::of(incident)).collect();
        let open = view
            .state
            .incidents()
            .take(ITEMS_MAX)
            .filter(|one| one.is_open());
        (lines, open.count())
    };
    let (mut lines, open) = state.handle.read(look).await?;
    let look = |store: &dyn Store, partition| store.closed_incidents(partition, None, LINES_MAX);
    lines.extend(state.history(look).await?.iter().map(Line::of));
    lines.sort_by_key(|line| std::cmp::Reverse(line.number));
    lines.truncate(LINES_MAX);
    let example = lines.first().map_or(1, |line| line.number);
    Ok(Home {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        url: state.settings.public_url.clone(),
        open,
        lines,
        example,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_numbers_states_and_commands() {
        let home = Home {
            style: STYLE,
            version: "1.2.3",
            url: "https://pager.example.com".to_owned(),
            open: 1,
            lines: vec![Line {
                number: 1042,
                status: "triggered",
            }],
            example: 1042,
        };
        let page = home.render().unwrap();
        for expected in [
            "<td>#1042</td><td>triggered</td>",
            "reveille explain 1042",
            "curl https://pager.example.com/v1/events",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
    }
}
