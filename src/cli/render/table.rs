//! Tables that fit: plain columns, one line a row, and one column of text cut to what is left on
//! the terminal; without a terminal nothing is cut.
//!
//! comfy-table lays them out. Cells that are cut whatever the terminal are cut here: it cuts a cell
//! only to the width of its column.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table as Comfy, Width};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::context::Look;
use crate::text::clean::blanked;

/// Between two columns.
pub const GAP: u16 = 2;
/// A cut column keeps at least so many places of a terminal.
const ELASTIC_MIN: u16 = 12;

/// A table that is being filled.
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// The column that gives way when a line would be too long.
    elastic: usize,
}

impl Table {
    /// A table with these columns, such as `ID, NAME`; the one at `elastic` gives way.
    pub fn new(header: &'static str, elastic: usize) -> Self {
        Self {
            header: header.split(", ").collect(),
            rows: Vec::new(),
            elastic,
        }
    }

    /// Adds a row; control characters become spaces.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| blanked(&cell)).collect());
    }

    /// The text, or `nothing` when there are no rows.
    pub fn render(self, look: Look, nothing: &str) -> String {
        if self.rows.is_empty() {
            return nothing.to_owned();
        }
        let mut table = Comfy::new();
        table.set_header(self.header);
        for row in self.rows {
            let mut row = Row::from(row);
            row.max_height(1);
            table.add_row(row);
        }
        lay_out(&mut table, self.elastic, ELASTIC_MIN, look);
        if let Some(elastic) = table.column_mut(self.elastic) {
            // No cell has one: texts are cut where the column ends, also within a word.
            elastic.set_delimiter('\n');
        }
        lines(&table).join("\n")
    }
}

/// Lays out a filled table: as wide as its contents, but on a terminal one column gives way, as far
/// as it keeps `elastic_min` places.
pub fn lay_out(table: &mut Comfy, elastic: usize, elastic_min: u16, look: Look) {
    table.force_no_tty();
    table.load_style(NOTHING);
    table.set_truncation_indicator("…");
    table.set_content_arrangement(ContentArrangement::Disabled);
    if let Some(columns) = look.columns {
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let widest = table.column_max_content_widths();
    let last = widest.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        let gap = if index == last { 0 } else { GAP };
        column.set_padding((0, gap));
        column.set_constraint(if index == elastic {
            let least = elastic_min.min(widest[index]) + gap;
            ColumnConstraint::LowerBoundary(Width::Fixed(least))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
}

/// The lines of a table without spaces at their ends.
pub fn lines(table: &Comfy) -> Vec<String> {
    let lines = table.lines();
    lines.map(|line| line.trim_end().to_owned()).collect()
}

/// At most so many places of a terminal, with a sign that something is missing.
pub fn shorten(text: &str, width_max: usize) -> String {
    if text.width() <= width_max {
        return text.to_owned();
    }
    let mut width = 0;
    let kept = text.chars().take_while(|letter| {
        width += letter.width().unwrap_or(0);
        width < width_max
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_plain_columns_and_no_trailing_spaces() {
        let mut table = Table::new("NAME, TEXT", 1);
        table.row(["a".to_owned(), "one".to_owned()]);
        table.row(["bee".to_owned(), String::new()]);
        let text = table.render(Look::PLAIN, "none");
        assert_eq!(text, "NAME  TEXT\na     one\nbee");
        assert_eq!(Table::new("NAME", 0).render(Look::PLAIN, "none"), "none");
    }

    #[test]
    fn a_long_cell_gives_way_so_that_the_line_fits() {
        let mut table = Table::new("NAME, TEXT, WHO", 1);
        table.row(["a".to_owned(), "x".repeat(300), "ana".to_owned()]);
        let look = Look {
            columns: Some(100),
            ..Look::PLAIN
        };
        let text = table.render(look, "none");
        let longest = text.lines().map(UnicodeWidthStr::width).max();
        assert_eq!(longest, Some(100), "{text}");
        assert!(text.contains("…  ana"), "{text}");
    }

    #[test]
    fn columns_line_up_behind_wide_characters_and_marks() {
        let look = Look {
            columns: Some(30),
            ..Look::PLAIN
        };
        let mut table = Table::new("NAME, TEXT, WHO", 1);
        for text in ["plain", "支付服务不可用，请检查数据库", "e\u{301}te\u{301}"] {
            table.row(["a".to_owned(), text.to_owned(), "ana".to_owned()]);
        }
        let expected = "\
NAME  TEXT                 WHO
a     plain                ana
a     支付服务不可用，请…  ana
a     e\u{301}te\u{301}                  ana";
        assert_eq!(table.render(look, "none"), expected);
        let cases = [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("支付服务", 6, "支付…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
        ];
        for (text, width, expected) in cases {
            assert_eq!(shorten(text, width), expected);
        }
    }

    #[test]
    fn on_a_narrow_terminal_the_text_keeps_a_few_letters() {
        let look = Look {
            columns: Some(10),
            ..Look::PLAIN
        };
        let mut table = Table::new("NAME, TEXT", 1);
        table.row(["long name".to_owned(), "x".repeat(30)]);
        let text = table.render(look, "none");
        assert_eq!(
            text,
            format!("NAME       TEXT\nlong name  {}…", "x".repeat(11))
        );
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let mut table = Table::new("NAME, TEXT", 1);
        table.row(["a".to_owned(), "x".repeat(300)]);
        let text = table.render(Look::PLAIN, "none");
        assert!(text.contains(&"x".repeat(300)), "{text}");
    }

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        let cases = [
            ("a\x1b[31mred\n", "a [31mred"),
            ("abc\u{202e}def", "abc def"),
            (" ok ", "ok"),
        ];
        for (text, expected) in cases {
            assert_eq!(blanked(text), expected);
        }
    }
}
