//! The real binary, seen from outside: started, killed, started again.

mod acceptance;
mod acting;
mod alertmanager;
mod life;
mod server;
mod story;
