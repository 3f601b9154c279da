//! A bar on standard error that shows how far something long is, with bytes and rate. Without a
//! terminal there is none.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const KNOWN: &str = "{msg} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}";
const UNKNOWN: &str = "{msg} {spinner} {bytes}, {bytes_per_sec}";

/// How often what turns is turned where nothing comes.
const TICK: Duration = Duration::from_millis(200);

/// It goes away with this, however that comes.
pub struct BytesBar(ProgressBar);

impl BytesBar {
    /// Of so many bytes, if that is known.
    pub fn new(total: Option<u64>, doing: impl Into<Cow<'static, str>>) -> Self {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if total.is_some() { KNOWN } else { UNKNOWN };
        let style = ProgressStyle::with_template(template).expect("both templates are correct");
        let bar = bar.with_style(style).with_message(doing);
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// What is being done now.
    pub fn doing(&self, doing: impl Into<Cow<'static, str>>) {
        self.0.set_message(doing);
    }

    /// So many bytes are done. An estimate that was too low grows.
    pub fn at(&self, bytes: u64) {
        if self.0.length().is_some_and(|length| length < bytes) {
            self.0.set_length(bytes);
        }
        self.0.set_position(bytes);
    }
}

impl Drop for BytesBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
