//! Text messages that fit: GSM-7 or UCS-2, at most two segments, number and link never cut.

use super::links::Links;
use crate::engine::decision::Order;

/// The text of an SMS for this order.
pub fn compose(order: &Order, links: &Links) -> String {
    let _ = (order, links);
    String::new()
}
