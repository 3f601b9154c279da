//! Our own status pages: what readers see of the state, and every form in which they get it. Pure.
//!
//! There is one projection, [`view::StatusPageView`]; the page, the feeds, the API of Statuspage,
//! the badges and the mails are made of it and of nothing else, so that they cannot disagree and
//! nothing can leak that it does not hold.

pub mod addresses;
pub mod badge;
pub mod bars;
pub mod calendar;
pub mod escape;
pub mod feeds;
pub mod history;
pub mod markdown;
pub mod missing;
pub mod overall;
pub mod page;
pub mod phrases;
pub mod post_card;
pub mod projection;
pub mod published;
pub mod publisher;
#[cfg(test)]
pub mod samples;
pub mod statuspage_api;
#[cfg(test)]
mod tests;
pub mod time_text;
pub mod uptime;
pub mod view;
