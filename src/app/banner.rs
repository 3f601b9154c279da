//! What a start prints for the person at the terminal.

use std::fmt::Write;
use std::net::SocketAddr;

use super::bootstrap::First;
use crate::config::Settings;

/// The address, and on the first start the admin token and a command to try it with.
pub fn text(settings: &Settings, first: &First, address: SocketAddr) -> String {
    let scheme = settings.listen_tls.as_ref().map_or("http", |_| "https");
    let url = format!("{scheme}://{address}");
    let data = settings.data.display();
    let mut text = format!("Reveille listens on {url} and keeps its state in {data}\n");
    // Writing to a string cannot fail.
    if let Some(token) = &first.new_admin_token {
        let _written = write!(
            text,
            "\nAdmin token, shown once and saved in {data}/admin-token:\n\n    {token}\n"
        );
    }
    if let Some(key) = &first.new_native_key {
        let _written = write!(
            text,
            "\nPost an event (the key is saved in {data}/first-key):\n\n    curl -H \
             'Authorization: Bearer {key}' {url}/v1/events \\\n      -d '{{\"summary\":\"disk \
             full on db1\",\"severity\":\"critical\"}}'\n\nPages appear here until a channel is \
             configured. Then:\n\n    reveille incidents\n    reveille ack 1\n    reveille \
             explain 1\n"
        );
    }
    text.push('\n');
    text
}
