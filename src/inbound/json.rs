//! Reads JSON as monitors really send it: what can be mended is mended and reported.
//!
//! A strict reader refuses a whole batch for one lone surrogate, one `1e400` or one `NaN`. Here
//! such a value is replaced, its place is noted, and the rest is kept. Broken grammar is refused.
//! The stack is bounded: values nested deeper than the limit are skipped without recursion.

use serde_json::{Map, Number, Value};

use crate::engine::event::{Fault, limit};

use super::faults::Faults;
use super::json_path::{self, Step};
use super::json_text;

/// Values in one body; many more than any monitor sends in the largest body allowed.
const VALUES_MAX: usize = 500_000;
/// What stands where something was nested too deep.
const CUT: &str = "(cut: nested too deep)";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A body that could be read, and what had to be mended in it.
#[derive(Debug)]
pub struct Document {
    pub root: Value,
    pub mended: Faults,
}

/// Reads a whole body. The error is about the body as a whole, at `$`.
pub fn read(body: &[u8]) -> Result<Document, Fault> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut reader = Reader {
        body,
        at: 0,
        path: Vec::new(),
        values: 0,
        mended: Faults::of_request(),
    };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(refusal("the body is empty; send a JSON object or array"));
    }
    if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
        return Err(refusal("the body is UTF-16; send JSON in UTF-8"));
    }
    let root = reader.value()?;
    reader.skip_space();
    if reader.peek().is_some() {
        return Err(reader.syntax("there is text after the end of the JSON value"));
    }
    Ok(Document {
        root,
        mended: reader.mended,
    })
}

fn refusal(problem: impl Into<String>) -> Fault {
    Fault {
        path: "$".to_owned(),
        problem: problem.into(),
    }
}

struct Reader<'body> {
    body: &'body [u8],
    at: usize,
    /// The containers that enclose the present place: its length is the depth.
    path: Vec<Step>,
    values: usize,
    mended: Faults,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, Fault> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(refusal(format!(
                "the body contains more than {VALUES_MAX} values; send fewer events at a time"
            )));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{' | b'[') if self.path.len() >= limit::NESTING => self.skip_nested(),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            Some(_) => Err(self.syntax("a value is expected")),
            None => Err(self.ends_early()),
        }
    }

    fn object(&mut self) -> Result<Value, Fault> {
        self.at += 1;
        let mut members = Map::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a member name in double quotes is expected"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.unexpected("`:` is expected"));
            }
            self.path.push(Step::Name(name));
            let value = self.value()?;
            if self.is_known(&members) {
                self.mend("is given more than once; the last one is used");
            }
            if let Some(Step::Name(name)) = self.path.pop() {
                members.insert(name, value);
            }
            if self.ends(b'}', "`,` or `}` is expected")? {
                return Ok(Value::Object(members));
            }
        }
    }

    /// Whether the member whose value was just read has been given before.
    fn is_known(&self, members: &Map<String, Value>) -> bool {
        matches!(self.path.last(), Some(Step::Name(name)) if members.contains_key(name))
    }

    fn array(&mut self) -> Result<Value, Fault> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            self.path.push(Step::Index(elements.len()));
            elements.push(self.value()?);
            self.path.pop();
            if self.ends(b']', "`,` or `]` is expected")? {
                return Ok(Value::Array(elements));
            }
        }
    }

    /// Whether the array or object ends here; otherwise a comma leads to what comes next.
    fn ends(&mut self, end: u8, problem: &str) -> Result<bool, Fault> {
        self.skip_space();
        if self.take(end) {
            return Ok(true);
        }
        if !self.take(b',') {
            return Err(self.unexpected(problem));
        }
        Ok(false)
    }

    /// Goes over an array or object without looking into it, and without recursion.
    fn skip_nested(&mut self) -> Result<Value, Fault> {
        self.mend(&format!(
            "is nested deeper than {} levels and was cut",
            limit::NESTING
        ));
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                None => return Err(self.ends_early()),
                Some(b'"') => self.skip_string()?,
                Some(byte) => {
                    self.at += 1;
                    match byte {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                }
            }
            if depth == 0 {
                return Ok(Value::String(CUT.to_owned()));
            }
        }
    }

    fn skip_string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return Ok(());
            }
        }
        Err(self.ends_early())
    }

    fn string(&mut self) -> Result<String, Fault> {
        let rest = &self.body[self.at + 1..];
        match json_text::read(rest) {
            Ok(read) => {
                self.at += 1 + read.length;
                if let Some(problem) = read.mended {
                    self.mend(problem);
                }
                Ok(read.text)
            }
            Err(error) => {
                self.at += 1 + error.at;
                Err(match error.problem {
                    Some(problem) => self.syntax(problem),
                    None => self.ends_early(),
                })
            }
        }
    }

    /// A number, or one of the bare words.
    fn word(&mut self) -> Result<Value, Fault> {
        let rest = &self.body[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let word = String::from_utf8_lossy(&rest[..length]);
        let value = match &*word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "NaN" | "Infinity" | "-Infinity" => {
                self.mend("is not a JSON number; it is read as text");
                Value::String(word.into_owned())
            }
            _ if json_text::is_number(&word) => self.number(&word),
            _ => return Err(self.syntax("a value is expected")),
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self, word: &str) -> Value {
        let whole = word
            .parse::<i64>()
            .map(Number::from)
            .or_else(|_| word.parse::<u64>().map(Number::from));
        if let Ok(number) = whole {
            return Value::Number(number);
        }
        let is_fraction = word.contains(['.', 'e', 'E']);
        let float = word.parse().ok().filter(|_| is_fraction);
        if let Some(number) = float.and_then(Number::from_f64) {
            return Value::Number(number);
        }
        self.mend("is too large a number; it is read as text");
        Value::String(word.to_owned())
    }

    fn mend(&mut self, problem: &str) {
        self.mended.add(json_path::written(&self.path), problem);
    }

    fn peek(&self) -> Option<u8> {
        self.body.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn unexpected(&self, problem: &str) -> Fault {
        if self.peek().is_none() {
            self.ends_early()
        } else {
            self.syntax(problem)
        }
    }

    fn ends_early(&self) -> Fault {
        refusal("the body is not JSON: it ends in the middle of a value")
    }

    fn syntax(&self, problem: &str) -> Fault {
        let before = &self.body[..self.at.min(self.body.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let column = before.len() - start.map_or(0, |newline| newline + 1) + 1;
        refusal(format!(
            "the body is not JSON: {problem} at line {line}, byte {column}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mended(body: &[u8]) -> (Value, Vec<String>) {
        let document = read(body).unwrap();
        let faults = document.mended.into_list();
        let lines = faults
            .into_iter()
            .map(|fault| format!("{}: {}", fault.path, fault.problem))
            .collect();
        (document.root, lines)
    }

    #[test]
    fn good_json_reads_as_serde_json_reads_it() {
        let cases = [
            r#"{"a":[1,-2,3.5,1e3,true,false,null,"x"],"b":{"c":{}},"d":[]}"#,
            " [ ] ",
            "\"\\u00e9\\ud83d\\ude00\\n\\\"\\/\\\\ü\"",
            "0",
            "-0.0",
            "18446744073709551615",
            "{\"\":\"\"}",
        ];
        for case in cases {
            let expected: Value = serde_json::from_str(case).unwrap();
            assert_eq!(mended(case.as_bytes()), (expected, vec![]), "{case}");
        }
    }

    #[test]
    fn what_can_be_mended_is_mended_and_reported() {
        let cases: [(&[u8], Value, &str); 9] = [
            (b"\xEF\xBB\xBF{}", json!({}), ""),
            (
                br#"[{"a":"x\ud800y"}]"#,
                json!([{"a": "x\u{fffd}y"}]),
                "$[0].a: contains half a surrogate pair; it was replaced",
            ),
            (
                b"{\"a\":\"x\xC3y\"}",
                json!({"a": "x\u{fffd}y"}),
                "$.a: is not UTF-8; what could not be read was replaced",
            ),
            (
                b"{\"a\":\"x\ny\"}",
                json!({"a": "x\ny"}),
                "$.a: contains an unescaped control character",
            ),
            (
                b"{\"a\":1e400}",
                json!({"a": "1e400"}),
                "$.a: is too large a number; it is read as text",
            ),
            (
                b"{\"a\":-123456789012345678901234567890}",
                json!({"a": "-123456789012345678901234567890"}),
                "$.a: is too large a number; it is read as text",
            ),
            (
                b"{\"a\":NaN}",
                json!({"a": "NaN"}),
                "$.a: is not a JSON number; it is read as text",
            ),
            (
                b"{\"a\":1,\"a\":2}",
                json!({"a": 2}),
                "$.a: is given more than once; the last one is used",
            ),
            (
                br#""\ud800\u0041""#,
                json!("\u{fffd}A"),
                "$: contains half a surrogate pair; it was replaced",
            ),
        ];
        for (body, value, fault) in cases {
            let faults = [fault.to_owned()]
                .into_iter()
                .filter(|fault| !fault.is_empty());
            assert_eq!(mended(body), (value, faults.collect()), "{fault}");
        }
    }

    #[test]
    fn broken_json_is_refused_with_the_place() {
        let cases: [(&[u8], &str); 17] = [
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"\xEF\xBB\xBF", "is empty"),
            (b"\xFF\xFE{\0}\0", "UTF-16"),
            (b"{", "ends in the middle"),
            (b"[1,", "ends in the middle"),
            (b"{\"a\"", "ends in the middle"),
            (b"\"a", "ends in the middle"),
            (b"\"a\\", "ends in the middle"),
            (b"\"\\u12", "ends in the middle"),
            (
                b"{\"a\":1}\n{}",
                "there is text after the end of the JSON value at line 2, byte 1",
            ),
            (
                b"{a:1}",
                "a member name in double quotes is expected at line 1, byte 2",
            ),
            (b"[1 2]", "`,` or `]` is expected at line 1, byte 4"),
            (b"[01]", "a value is expected at line 1, byte 2"),
            (b"[tru]", "a value is expected"),
            (b"\"\\x\"", "unknown escape"),
            (b"\xC3\x28", "a value is expected"),
        ];
        for (body, problem) in cases {
            let fault = read(body).unwrap_err();
            assert_eq!(fault.path, "$");
            assert!(
                fault.problem.contains(problem),
                "{body:?}: {}",
                fault.problem
            );
        }
    }

    #[test]
    fn a_depth_bomb_is_cut_without_using_the_stack() {
        let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert_eq!(mended(&deep(limit::NESTING)).1, Vec::<String>::new());
        let (_, faults) = mended(&deep(limit::NESTING + 1));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].ends_with("is nested deeper than 64 levels and was cut"));
        assert_eq!(mended(&deep(1_000_000)).1.len(), 1);
        assert!(read(&vec![b'['; 1_000_000]).is_err());
        assert!(read("{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn a_body_of_very_many_values_is_refused() {
        let body = format!("[{}0]", "0,".repeat(VALUES_MAX));
        let fault = read(body.as_bytes()).unwrap_err();
        assert!(fault.problem.contains("more than 500000 values"));
    }
}
