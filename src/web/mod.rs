//! The pages that people see in a browser. They work without a script, and every text that came
//! from outside is escaped by the template engine.

pub mod acknowledge;
pub mod home;
mod html;
mod moments;
mod screen;
