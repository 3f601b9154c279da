//! The texts of rule files as they may be kept: byte for byte, except that a key in clear gives
//! way to `sha256:` and its hash.
//!
//! A text is kept only where it is certain that no key is left in it. That is checked by reading
//! the result again, not by trusting the replacing.

use std::collections::BTreeMap;

use crate::document::Diagnostic;
use crate::text::{hash, hex};

use super::documents::{self, SourceFile};
use super::keys::{KeyReference, KeySource};

/// The files without keys in clear; `None` where a key cannot be taken out for certain: it stands
/// over several lines, or elsewhere in the files as well.
pub fn without_literal_keys(files: &[SourceFile]) -> Option<Vec<SourceFile>> {
    let literals = literals_of(files);
    if literals.is_empty() {
        return Some(files.to_vec());
    }
    let replaced = files
        .iter()
        .map(|file| {
            let own = literals.iter().filter(|known| known.path == file.path);
            let text = replace_all(&file.text, own)?;
            let path = file.path.clone();
            Some(SourceFile { path, text })
        })
        .collect::<Option<Vec<_>>>()?;
    is_same_without(&literals, files, &replaced).then_some(replaced)
}

/// How many keys stand as hashes under `key`.
pub fn hashed_keys(files: &[SourceFile]) -> usize {
    let (documents, _) = documents::read(files);
    let references = documents.key_references().into_iter();
    let is_hash = |known: &KeyReference| matches!(known.source, KeySource::Hash(_));
    references.filter(is_hash).count()
}

/// Shorter words are no secret, and stand in too many places.
const COVERED_MIN: usize = 4;

/// The files with each word of a key in clear under as many stars, so that their lines can be
/// shown.
pub fn covered(files: &[SourceFile]) -> Vec<SourceFile> {
    let (documents, _) = documents::read(files);
    let references = documents.key_references().into_iter();
    let keys = references.filter_map(|known| match known.source {
        KeySource::Literal(key) => Some(key),
        // Somebody took the key itself for its hash.
        KeySource::Hash(hash) => hex::decode_hash(&hash).is_none().then_some(hash),
        KeySource::Env(_) | KeySource::File(_) => None,
    });
    let keys: Vec<String> = keys.collect();
    let words = keys.iter().flat_map(|key| key.split_whitespace());
    let mut words: Vec<&str> = words
        .filter(|word| word.chars().count() >= COVERED_MIN && !word.ends_with(':'))
        .collect();
    // One may be the beginning of another.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let cover = |file: &SourceFile| {
        let text = words.iter().fold(file.text.clone(), |text, word| {
            text.replace(word, &stars(word))
        });
        let lines = text.split_inclusive('\n').map(covered_line);
        SourceFile {
            path: file.path.clone(),
            text: lines.collect(),
        }
    };
    files.iter().map(cover).collect()
}

fn stars(word: &str) -> String {
    "*".repeat(word.chars().count())
}

/// A line with all under stars that stands where a key belongs and is no reference to one: what is
/// written wrongly there may be the key itself.
fn covered_line(line: &str) -> String {
    let Some((before, value)) = key_and_value(line) else {
        return line.to_owned();
    };
    let ends = [", ", " #"];
    let end = ends.iter().filter_map(|end| value.find(end)).min();
    let end = end.unwrap_or(value.len());
    let (value, rest) = value.split_at(end);
    let is_border = |letter: char| letter.is_whitespace() || "[]{}'\"".contains(letter);
    let mut covered = before.to_owned();
    for part in value.split_inclusive(is_border) {
        let word = part.trim_end_matches(is_border);
        let kinds = ["env:", "file:", "sha256:"];
        let kind = kinds.iter().find(|kind| word.starts_with(**kind));
        let (kind, name) = word.split_at(kind.map_or(0, |kind| kind.len()));
        let shown = if is_reference(word) {
            word.to_owned()
        } else {
            format!("{kind}{}", stars(name))
        };
        covered.push_str(&shown);
        covered.push_str(&part[word.len()..]);
    }
    covered + rest
}

/// A line cut behind the first name of a key and its colon.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let mut colons = line.match_indices(':').map(|(at, _)| at);
    let is_key = |at: &usize| {
        let name = line[..*at].trim_end_matches(['\'', '"', ' ']);
        let start = name
            .rfind([' ', '{', ',', '\'', '"', '-'])
            .map_or(0, |at| at + 1);
        matches!(&name[start..], "key" | "keys" | "key_sha256")
    };
    let at = colons.find(is_key)? + 1;
    Some(line.split_at(at))
}

/// Whether a word names a key and is none.
fn is_reference(word: &str) -> bool {
    match KeySource::parse(word) {
        KeySource::Env(_) => true,
        KeySource::File(path) => path.starts_with(['/', '.', '~']),
        KeySource::Hash(hash) => hex::decode_hash(&hash).is_some(),
        KeySource::Literal(word) => hex::decode_hash(&word).is_some(),
    }
}

/// The keys in clear.
fn literals_of(files: &[SourceFile]) -> Vec<KeyReference> {
    let (documents, _) = documents::read(files);
    let mut references = documents.key_references();
    references.retain(|known| known.literal().is_some());
    references
}

/// Replaces the keys of one file from its end on, so that the places before stay right. Aliases
/// give one place several times.
fn replace_all<'known>(
    text: &str,
    literals: impl Iterator<Item = &'known KeyReference>,
) -> Option<String> {
    let places: BTreeMap<(u32, u32), &str> = literals
        .filter_map(|known| Some(((known.line, known.column), known.literal()?)))
        .collect();
    let mut text = text.to_owned();
    for ((line, column), key) in places.into_iter().rev() {
        let start = offset(&text, line, column)?;
        let (start, end) = scalar(&text, start, key)?;
        let shown = format!("sha256:{}", hex::encode(&hash::sha256(key)));
        text.replace_range(start..end, &shown);
    }
    Some(text)
}

/// Where a line and a column, both from 1, begin in bytes.
fn offset(text: &str, line: u32, column: u32) -> Option<usize> {
    let before = usize::try_from(line.checked_sub(1)?).ok()?;
    let skipped = usize::try_from(column.checked_sub(1)?).ok()?;
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let line = text.get(start..)?;
    let inside = line.char_indices().nth(skipped)?.0;
    Some(start + inside)
}

/// The bytes of the scalar that begins here, without its quotes; anchors and tags are passed over.
fn scalar(text: &str, start: usize, key: &str) -> Option<(usize, usize)> {
    let mut start = start;
    while text[start..].starts_with(['&', '!']) {
        start += text[start..].find(' ')?;
        start += text[start..].find(|sign| sign != ' ')?;
    }
    let rest = &text[start..];
    if let Some(inside) = rest.strip_prefix('"') {
        let mut is_escaped = false;
        let end = inside.find(|sign| {
            let is_end = sign == '"' && !is_escaped;
            is_escaped = sign == '\\' && !is_escaped;
            is_end
        })?;
        return Some((start + 1, start + 1 + end));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        // A doubled quote is one of the text, and no key has a hash for a quote in it.
        let end = inside.replace("''", "xx").find('\'')?;
        return Some((start + 1, start + 1 + end));
    }
    rest.starts_with(key).then_some((start, start + key.len()))
}

/// Whether the new files read without errors, mean the same, and hold none of the keys.
fn is_same_without(
    literals: &[KeyReference],
    files: &[SourceFile],
    replaced: &[SourceFile],
) -> bool {
    let read = |files: &[SourceFile]| {
        let (mut documents, faults) = documents::read(files);
        documents.replace_literal_keys();
        (documents, faults.iter().any(Diagnostic::is_error))
    };
    let (before, _) = read(files);
    let (after, has_error) = read(replaced);
    let holds = |key: &str| replaced.iter().any(|file| file.text.contains(key));
    let mut keys = literals.iter().filter_map(KeyReference::literal);
    !has_error && before == after && !keys.any(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str) -> String {
        format!("sha256:{}", hex::encode(&hash::sha256(key)))
    }

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.yaml".to_owned(),
            text: text.to_owned(),
        }
    }

    /// What a key means that is written with escapes.
    fn meant(written: &str) -> String {
        let escapes = [("\\\"", "\""), ("\\u0063", "c"), ("''", "'")];
        escapes.iter().fold(written.to_owned(), |text, (from, to)| {
            text.replace(from, to)
        })
    }

    fn kept(text: &str) -> Option<String> {
        let files = without_literal_keys(&[file(text)])?;
        Some(files[0].text.clone())
    }

    #[test]
    fn a_key_in_clear_gives_way_to_its_hash_and_nothing_else_changes() {
        let head = "# é: ours\r\nintegrations: # all\n  ";
        let cases = [
            ("a: { format: native, key: s3cret } # x", "s3cret"),
            ("a:\n    key:   s3cret   # x\n    format: native", "s3cret"),
            ("a: { key: \"s3\\\"\\u0063ret\" }", "s3\\\"\\u0063ret"),
            ("a: { key: 's3''cret' }", "s3''cret"),
            ("a: { key: [env:A, s3cret, file:/b] }", "s3cret"),
            ("a:\n    key:\n      - env:é\n      - s3cret", "s3cret"),
            ("a:\n    key: |-\n      s3cret", "s3cret"),
            ("a: { key: &k s3cret }\n  b: { key: *k }", "s3cret"),
            (
                "{\"a\": {\"format\":\"native\",\"key\":\"s3cret\"}}",
                "s3cret",
            ),
        ];
        for (text, key) in cases {
            let text = format!("{head}{text}\n\n# end");
            let wanted = text.replacen(key, &shown(&meant(key)), 1);
            assert_eq!(kept(&text), Some(wanted), "{text}");
        }
        let several = "integrations:\n  a: { key: [one-key, two-key] }\n  b: { key: 3-key }\n";
        let wanted = several
            .replace("one-key", &shown("one-key"))
            .replace("two-key", &shown("two-key"))
            .replace("3-key", &shown("3-key"));
        assert_eq!(kept(several), Some(wanted));
    }

    #[test]
    fn files_without_keys_in_clear_stay_byte_for_byte() {
        for text in [
            "",
            "# x\r\n",
            "\u{feff}integrations: { a: { key: env:A } }",
            "a: [",
            "\t",
        ] {
            assert_eq!(kept(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_key_in_clear_is_under_stars_wherever_a_line_is_shown() {
        let cases = [
            ("key: s3crét # s3crét", "key: ****** # ******"),
            ("key: [env:NAME, s3cret]", "key: [env:NAME, ******]"),
            ("key: 's3cret'\n    name: s3", "key: '******'\n    name: s3"),
            ("key: s3cret\n      more", "key: ******\n      ****"),
            ("key: [s3cret, s3cret2]", "key: [******, *******]"),
            ("key: sha256:s3cret", "key: sha256:******"),
            ("key: file:/run/key", "key: file:/run/key"),
            ("key: { value: s3cret }", "key: { ****** ****** }"),
            ("key: [[s3cret]]", "key: [[******]]"),
            ("keys: s3cret", "keys: ******"),
            ("key_sha256: s3cret # old", "key_sha256: ****** # old"),
            ("\"key\": 'env: s3cret'", "\"key\": 'env: ******'"),
            ("key: 's3cret", "key: '******"),
            ("monkey: banana", "monkey: banana"),
        ];
        for (text, shown) in cases {
            let head = "integrations:\n  a:\n    ";
            let covered = covered(&[file(&format!("{head}{text}\n"))]);
            assert_eq!(covered[0].text, format!("{head}{shown}\n"));
        }
    }

    #[test]
    fn a_text_in_which_a_key_might_be_left_is_not_kept() {
        let cases = [
            "integrations:\n  a: { key: s3cret } # s3cret\n",
            "# key: s3cret\nintegrations:\n  a: { key: s3cret }\n",
            "integrations:\n  a:\n    key: s3cret\n      more\n",
            "integrations:\n  a: { key: format, format: native }\n",
        ];
        for text in cases {
            assert_eq!(kept(text), None, "{text}");
        }
    }

    #[test]
    fn a_hash_under_key_means_the_same_as_under_key_sha256_and_is_counted() {
        let hash = "ab".repeat(32);
        let one = format!("integrations:\n  a: {{ key: [env:A, sha256:{hash}] }}\n");
        let other = format!("integrations:\n  a: {{ key: env:A, key_sha256: {hash} }}\n");
        let read = |text: &str| {
            let (mut documents, _) = documents::read(&[file(text)]);
            documents.replace_literal_keys();
            documents
        };
        assert_eq!(read(&one), read(&other));
        assert_eq!(hashed_keys(&[file(&one), file(&other)]), 1);
    }
}
