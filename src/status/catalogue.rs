//! Status pages by name, from `catalogue.tsv`: where to begin, never what to trust.

/// Of the file, one page a line.
const LINES: &str = include_str!("catalogue.tsv");

/// A page of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {
    pub name: &'static str,
    pub url: &'static str,
    /// The word of its kind.
    pub kind: &'static str,
    /// When somebody saw it there, and what.
    pub seen: &'static str,
    pub what: &'static str,
}

/// All pages, in the order of the file.
pub fn all() -> impl Iterator<Item = CatalogueEntry> {
    let lines = LINES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut columns = line.split('\t');
        Some(CatalogueEntry {
            name: columns.next()?,
            url: columns.next()?,
            kind: columns.next()?,
            seen: columns.next()?,
            what: columns.next()?,
        })
    })
}

/// Pages whose name or host has this in it, whatever its case.
pub fn search(text: &str) -> Vec<CatalogueEntry> {
    let text = text.trim().to_lowercase();
    let is_like = |entry: &CatalogueEntry| {
        entry.name.to_lowercase().contains(&text) || entry.url.contains(&text)
    };
    all().filter(|entry| is_like(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{StatusAddress, kind};

    #[test]
    fn every_line_is_a_page_of_a_kind_that_can_be_read() {
        let lines = LINES.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(all().count(), lines.count());
        let mut names: Vec<&str> = all().map(|entry| entry.name).collect();
        let in_order = names.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, in_order, "each name once, and sorted");
        for entry in all() {
            let address = StatusAddress::parse(entry.url).expect(entry.url);
            let kind = kind(entry.kind).expect(entry.kind);
            let documents = (kind.documents)(&address);
            assert!(documents[0].url.starts_with("https://"), "{documents:?}");
        }
    }

    #[test]
    fn a_page_is_found_by_any_part_of_its_name_or_host() {
        for (text, count) in [
            ("slack", 1),
            ("GOOGLE", 2),
            ("aws.amazon", 1),
            ("nobody", 0),
        ] {
            assert_eq!(search(text).len(), count, "{text}");
        }
    }
}
