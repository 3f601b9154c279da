//! The real binary where it hurts: killed, stopped, damaged and without room, while clients keep a
//! ledger of what they were answered. Afterwards all of that has to be there.

mod check;
mod clients;
mod damage;
mod dice;
mod full;
mod kill;
mod ledger;
mod stop;
