//! Fields of log lines for a terminal: what others wrote moves no cursor, starts no line of its own
//! and turns no text around.

use std::fmt::Debug;

use tracing::field::Field;
use tracing_subscriber::field::{MakeExt as _, RecordFields};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::text::clean::escaped;

/// Writes the fields of an event: the message, then `name=value`, each unwanted character as its
/// escape, such as `\u{1b}`.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(
        &self,
        writer: Writer<'writer>,
        fields: R,
    ) -> std::fmt::Result {
        debug_fn(
            |writer: &mut Writer<'_>, field: &Field, value: &dyn Debug| {
                let value = escaped(&format!("{value:?}"));
                match field.name() {
                    "message" => writer.write_str(&value),
                    name => write!(writer, "{name}={value}"),
                }
            },
        )
        .delimited(" ")
        .format_fields(writer, fields)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    const HOSTILE: &str =
        "a\r\nERROR b\u{1b}[2Jc\u{0}d\u{7f}\u{85}e\u{9b}1m\u{202e}f\u{2066}\u{2028}g\th";

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Kept {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn what_others_wrote_is_one_line_of_a_terminal_without_control_or_direction_characters() {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(kept.clone())
            .with_ansi(false)
            .with_target(false)
            .fmt_fields(Plain)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(cause = %HOSTILE, quoted = ?HOSTILE, text = HOSTILE, "{HOSTILE}");
        });
        let written = kept.0.lock().expect("no panic").clone();
        let written = String::from_utf8(written).expect("UTF-8");
        let line = written.strip_suffix('\n').expect("a line");
        assert!(!line.contains(crate::text::is_unwanted), "{line:?}");
        assert!(line.contains(r"a\u{d}\u{a}ERROR b\u{1b}"), "{line}");
        assert!(line.contains(" cause=a"), "{line}");
    }
}
