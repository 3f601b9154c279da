//! Our own status pages: what readers see of the state, and every form in which they get it. Pure.
//!
//! There is one projection, [`view::StatusPageView`]; the page, the feeds, the API of Statuspage,
//! the badges and the mails are made of it and of nothing else, so that they cannot disagree and
//! nothing can leak that it does not hold.

pub mod view;
