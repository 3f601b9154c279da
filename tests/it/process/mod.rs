//! The real binary, seen from outside: started, killed, started again.

mod acceptance;
mod acting;
mod alertmanager;
mod audit;
mod life;
mod links;
mod metrics;
mod names;
mod readme;
mod replicas;
mod sending;
mod server;
mod story;
mod texting;
mod warnings;
