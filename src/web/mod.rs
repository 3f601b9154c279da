//! The pages that people see in a browser: their routes, what they show, and the templates. They
//! work without a script, and every text that came from outside is escaped by the template engine.

use utoipa_axum::routes;

use crate::api::routes::Route;

mod ack_page;
mod home;
mod html;
mod link_page;
mod time_format;

/// The routes of the pages, for the router of `api`.
pub fn routes() -> Vec<Route> {
    vec![
        Route::new(routes!(home::show)),
        Route::new(routes!(link_page::show)),
        Route::new(routes!(link_page::act)),
    ]
}
