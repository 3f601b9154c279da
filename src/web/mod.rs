//! The pages that people see in a browser, as templates and what they show. They work without a
//! script, and every text that came from outside is escaped by the template engine.
//!
//! Nothing here knows of requests: `api` looks things up, asks for a page and sends it.

pub mod ack_page;
pub mod home;
mod message;
pub mod opened_link;
mod style;
pub mod time_format;

pub use message::Message;
pub use style::STYLE;
