//! Our own status pages are published as the state changes: what is kept is looked at every second,
//! and whoever serves pages is handed those that changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::time::Timestamp;
use crate::runtime::handle::{Handle, View};
use crate::status_page::projection::PageRecords;
use crate::status_page::published::PublishedPages;
use crate::status_page::publisher::{PageToPublish, Publisher};

/// A change is on the pages after so long at most.
const PAUSE: Duration = Duration::from_secs(1);

/// Publishes until the driver is gone. What was published last stays.
pub async fn run(
    handle: &Handle,
    public_url: &str,
    published: &watch::Sender<Arc<PublishedPages>>,
) {
    let mut publisher = Publisher::new(public_url);
    loop {
        let Ok((looked, now)) = handle.read(look).await else {
            return;
        };
        if let Some(pages) = publisher.next(looked, now) {
            published.send_replace(pages);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn look(view: View<'_>) -> (Vec<PageToPublish>, Timestamp) {
    let pages = view.rules.status_pages.pages.values();
    let looked = pages.map(|rules| (rules.clone(), PageRecords::of(view.state, rules)));
    (looked.collect(), view.now.wall)
}
