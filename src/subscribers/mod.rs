//! Subscribers of our own status pages: who asked to be told of posts, what each is still to be
//! told, and how it leaves.
//!
//! [`registry::SubscriberRegistry`] holds the records and makes each change durable before anybody
//! acts on it; [`worker::SubscriberWorker`] compares the published pages with what was told, and
//! sends. Nothing here is part of paging: it has connections, limits and files of its own, and its
//! failures say nothing of the channels of pages.

pub mod book;
pub mod couriers;
pub mod delivery;
pub mod journal;
pub mod lanes;
pub mod letter;
pub mod news;
pub mod phrases;
pub mod picking;
pub mod registry;
pub mod sign_up;
pub mod site;
pub mod subscriber;
pub mod worker;
