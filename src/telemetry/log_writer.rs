//! Where log lines go: standard error, written by a thread of its own, so that whoever reads the
//! log slowly, badly or not at all never holds up what is logged about.
//!
//! Between the two are at most [`LINES_MAX`] lines. What finds no room, and what cannot be
//! written, is lost and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Lines that wait to be written.
const LINES_MAX: usize = 4_096;

/// The log of this process. When it is dropped, what still waits is written, for about a second.
pub struct Log {
    _worker: WorkerGuard,
    lost: LostLines,
}

impl Log {
    /// A log that is written here.
    pub(super) fn to(out: impl Write + Send + 'static) -> (Self, NonBlocking) {
        let unwritten = Arc::new(AtomicU64::new(0));
        let out = Counted {
            out,
            unwritten: unwritten.clone(),
        };
        let (writer, worker) = NonBlockingBuilder::default()
            .buffered_lines_limit(LINES_MAX)
            .lossy(true)
            .thread_name("log")
            .finish(out);
        let lost = LostLines {
            without_room: writer.error_counter(),
            unwritten,
        };
        let log = Self {
            _worker: worker,
            lost,
        };
        (log, writer)
    }

    /// How many lines were lost, now and later.
    pub fn lost(&self) -> LostLines {
        self.lost.clone()
    }
}

/// Counts the lines that are in no log.
#[derive(Clone, Debug)]
pub struct LostLines {
    without_room: ErrorCounter,
    unwritten: Arc<AtomicU64>,
}

impl LostLines {
    /// Lost since the process began.
    pub fn count(&self) -> u64 {
        let without_room = u64::try_from(self.without_room.dropped_lines()).unwrap_or(u64::MAX);
        without_room.saturating_add(self.unwritten.load(Ordering::Relaxed))
    }
}

/// Counts what cannot be written.
struct Counted<W> {
    out: W,
    unwritten: Arc<AtomicU64>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A line that cannot be written is not tried again: the next one may have more luck.
        if self.out.write_all(line).is_err() {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that takes a line only when it is told to.
    struct Held {
        go_on: Mutex<Receiver<()>>,
        read: Sender<Vec<u8>>,
    }

    impl Write for Held {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            // The test has ended: nobody reads any more.
            let _ended = self.go_on.lock().map(|go_on| go_on.recv());
            let _ended = self.read.send(line.to_vec());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A disk without room.
    struct Full(Sender<()>);

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            let _ended = self.0.send(());
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    #[test]
    fn a_log_that_nobody_reads_holds_nobody_up_and_what_found_no_room_is_counted() {
        let (tell, go_on) = channel();
        let (read, lines) = channel();
        let held = Held {
            go_on: Mutex::new(go_on),
            read,
        };
        let (log, mut writer) = Log::to(held);
        let lost = log.lost();
        let written = LINES_MAX + 1_000;
        for number in 0..written {
            let line = format!("{number}\n");
            assert!(writer.write_all(line.as_bytes()).is_ok());
        }
        let missing = usize::try_from(lost.count()).expect("a small number");
        // One line may be in the writer's hands already.
        assert!((999..=1_000).contains(&missing), "{missing}");
        drop(tell);
        let first = lines.recv().expect("the reader goes on");
        assert_eq!(first, b"0\n");
        for _ in 1..written - missing {
            assert!(lines.recv().is_ok());
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_is_an_error_for_nobody_and_each_line_is_counted() {
        let (tried, tries) = channel();
        let (log, mut writer) = Log::to(Full(tried));
        for _ in 0..3 {
            assert!(writer.write_all(b"a line\n").is_ok());
        }
        for _ in 0..3 {
            assert!(tries.recv().is_ok());
        }
        let lost = log.lost();
        drop(log);
        assert_eq!(lost.count(), 3);
    }
}
