//! The forms of a page as readers get them: what each shows, and what never gets out of any.

mod pages;
mod readers;
