//! The one plain page until there is a web interface. Anybody may see it, so that it names
//! incidents by number and state alone.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::html::{self, STYLE};
use crate::api::Shared;
use crate::runtime::handle;

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

/// `GET /`
pub async fn show(State(state): State<Shared>) -> Response {
    let look = |view: handle::View<'_>| {
        let newest = view.state.incidents().rev().take(LINES_MAX);
        let lines: Vec<_> = newest
            .map(|incident| Line {
                number: incident.number.0,
                status: incident.status.as_str(),
            })
            .collect();
        (
            lines,
            view.state
                .incidents()
                .filter(|one| one.is_open())
                .take(500)
                .count(),
        )
    };
    let (lines, open) = match state.handle.read(look).await {
        Ok(seen) => seen,
        Err(unavailable) => return html::refusal(&unavailable.into()),
    };
    let example = lines.first().map_or(1, |line| line.number);
    let home = Home {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        url: state.settings.public_url.clone(),
        open,
        lines,
        example,
    };
    html::page(StatusCode::OK, &home)
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
