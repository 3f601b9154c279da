//! Tables that fit: plain columns, one line a row, the widest text column cut to what is left on
//! the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Comfy};

use crate::cli::context::Look;
use crate::text::{clean::blanked, truncate};

/// Between two columns.
const GAP: usize = 2;
/// A cut column keeps at least so many characters.
const ELASTIC_MIN: usize = 12;

/// A table that is being filled.
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// The column that gives way when a line would be too long.
    elastic: usize,
}

impl Table {
    /// A table with these columns; `elastic` gives way.
    pub fn new(header: &[&'static str], elastic: usize) -> Self {
        Self {
            header: header.to_vec(),
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
    pub fn render(mut self, look: Look, nothing: &str) -> String {
        if self.rows.is_empty() {
            return nothing.to_owned();
        }
        if let Some(columns) = look.columns {
            self.cut(columns);
        }
        let mut table = Comfy::new();
        table.force_no_tty();
        table.load_style(NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.header);
        table.add_rows(self.rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<String> = table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }

    fn cut(&mut self, columns: usize) {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.header[column].len()]).max().unwrap_or(0)
        };
        let others: usize = (0..self.header.len())
            .filter(|column| *column != self.elastic)
            .map(|column| width(column) + GAP)
            .sum();
        let left = columns.saturating_sub(others).max(ELASTIC_MIN);
        for row in &mut self.rows {
            row[self.elastic] = truncate(&row[self.elastic], left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_plain_columns_and_no_trailing_spaces() {
        let mut table = Table::new(&["NAME", "TEXT"], 1);
        table.row(["a".to_owned(), "one".to_owned()]);
        table.row(["bee".to_owned(), String::new()]);
        let text = table.render(Look::PLAIN, "none");
        assert_eq!(text, "NAME  TEXT\na     one\nbee");
        assert_eq!(Table::new(&["NAME"], 0).render(Look::PLAIN, "none"), "none");
    }

    #[test]
    fn a_long_cell_gives_way_so_that_the_line_fits() {
        let mut table = Table::new(&["NAME", "TEXT", "WHO"], 1);
        table.row(["a".to_owned(), "x".repeat(300), "ana".to_owned()]);
        let look = Look {
            columns: Some(100),
            ..Look::PLAIN
        };
        let text = table.render(look, "none");
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(100), "{text}");
        assert!(text.contains("…  ana"), "{text}");
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let mut table = Table::new(&["NAME", "TEXT"], 1);
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
