//! Text becomes a tree with places. The only file that knows the YAML crate.
//!
//! YAML and JSON are read alike. What other YAML readers understand differently (`no`, `09:00`,
//! `+351…` without quotes, a key twice, merge keys, tags) is a fault, never a guess. Aliases are
//! read, within a budget, so that a small file cannot become a large tree.

use crate::text::truncate::quoted;

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::code::Code;
use super::diagnostic::Diagnostics;
use super::limits;
use super::node::{Entry, Node, Position, Value};
use super::scalar::{self, Plain};

/// Reading of this text has come to its end; the fault has been noted.
struct Stop;

/// Reads one document; `None` when it cannot be understood as a whole.
pub fn parse(text: &str, file: u32, faults: &mut Diagnostics) -> Option<Node> {
    let mut builder = Builder {
        file,
        faults,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        node_count: 0,
        root: None,
        documents: 0,
    };
    builder.read(text).ok()?;
    Some(builder.root.unwrap_or_else(|| Node::empty(file)))
}

/// Builds the tree out of the parser's events.
struct Builder<'faults> {
    file: u32,
    faults: &'faults mut Diagnostics,
    /// Lists and maps that are still open.
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    /// Nodes made so far; each use of an alias counts all that it stands for.
    node_count: usize,
    root: Option<Node>,
    documents: usize,
}

/// A list or a map that is still open.
struct Frame {
    at: Position,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// Where each key stands, to find repeated ones.
    seen: BTreeMap<String, Position>,
    /// The key whose value comes next.
    key: Option<(String, Position)>,
}

impl Builder<'_> {
    fn read(&mut self, text: &str) -> Result<(), Stop> {
        let options = granit_parser::options! {
            simple_key_max_lookahead: limits::KEY_CHARACTERS,
        };
        for next in Parser::new_from_str_with_options(text, options) {
            match next {
                Ok((event, span)) => self.take(event, &span)?,
                Err(error) => {
                    let at = self.position(*error.marker());
                    return self.stop(
                        Code::Syntax,
                        at,
                        format!("invalid YAML: {}", error.info()),
                        "check indentation (spaces, never tabs), quotes and brackets here and on \
                         the line above",
                    );
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        let at = self.position(span.start);
        match event {
            Event::DocumentStart(..) => self.start_document(at),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = self.read_tag(tag.as_deref(), at)? || style != ScalarStyle::Plain;
                self.scalar(&text, is_text, anchor, at)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at)?;
                self.open(at, anchor, Collection::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at)?;
                self.open(at, anchor, Collection::Map(OpenMap::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            // Stream borders and presentation; the parser's list of events is open.
            _ => Ok(()),
        }
    }

    fn start_document(&mut self, at: Position) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        self.stop(
            Code::UnusedYaml,
            at,
            "this file contains a second document",
            "remove the line `---`, or move what follows into its own file",
        )
    }

    fn scalar(
        &mut self,
        text: &str,
        is_text: bool,
        anchor: usize,
        at: Position,
    ) -> Result<(), Stop> {
        if self.expects_key() {
            return self.key(text, is_text, at);
        }
        let value = if is_text {
            Value::Text(text.to_owned())
        } else {
            self.plain(text, at)
        };
        self.attach(Node { at, value }, anchor)
    }

    /// The value of a scalar without quotes.
    fn plain(&mut self, text: &str, at: Position) -> Value {
        match scalar::plain(text) {
            Plain::Null => Value::Null,
            Plain::Bool(value) => Value::Bool(value),
            Plain::Integer(value) => Value::Integer(value),
            Plain::Text => Value::Text(text.to_owned()),
            Plain::Trap(meaning) => {
                self.note_trap(text, meaning, at);
                Value::Text(text.to_owned())
            }
        }
    }

    fn note_trap(&mut self, text: &str, meaning: &str, at: Position) {
        self.faults.error(
            Code::Unquoted,
            at,
            format!("many YAML parsers read {text} without quotes as {meaning}"),
            format!("put it in quotes: \"{text}\""),
        );
    }

    fn key(&mut self, text: &str, is_text: bool, at: Position) -> Result<(), Stop> {
        if !is_text && text == "<<" {
            return self.stop(
                Code::UnusedYaml,
                at,
                "merge keys (`<<`) are not supported",
                "write the keys out, or alias a whole value",
            );
        }
        if !is_text && let Plain::Trap(meaning) = scalar::plain(text) {
            self.note_trap(text, meaning, at);
        }
        if let Some(Collection::Map(map)) = self.innermost() {
            map.key = Some((text.to_owned(), at));
        }
        Ok(())
    }

    fn innermost(&mut self) -> Option<&mut Collection> {
        self.stack.last_mut().map(|frame| &mut frame.collection)
    }

    fn expects_key(&mut self) -> bool {
        matches!(self.innermost(), Some(Collection::Map(map)) if map.key.is_none())
    }

    fn open(&mut self, at: Position, anchor: usize, collection: Collection) -> Result<(), Stop> {
        if self.expects_key() {
            return self.refuse_key(at);
        }
        self.stack.push(Frame {
            at,
            anchor,
            collection,
        });
        self.check_depth(0, at)
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.collection {
            Collection::List(items) => Value::List(items),
            Collection::Map(map) => Value::Map(map.entries),
        };
        self.attach(
            Node {
                at: frame.at,
                value,
            },
            frame.anchor,
        )
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return self.stop(
                Code::UnusedYaml,
                at,
                "this alias refers to a value that contains it",
                "write the value out",
            );
        };
        if self.expects_key() {
            return self.refuse_key(at);
        }
        let (count, depth) = measure(&node);
        self.count(count, at)?;
        self.check_depth(depth, at)?;
        self.attach(node, 0)
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.count(1, node.at)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        // Not by a method: the faults are needed beside it.
        match self.stack.last_mut().map(|frame| &mut frame.collection) {
            None => self.root = Some(node),
            Some(Collection::List(items)) => items.push(node),
            Some(Collection::Map(map)) => {
                let Some((key, at)) = map.key.take() else {
                    return Ok(());
                };
                if let Some(first) = map.seen.get(&key) {
                    let line = first.line;
                    let message = format!("the key {} is already on line {line}", quoted(&key));
                    let help = "keep one of the two, or merge them";
                    self.faults.error(Code::RepeatedKey, at, message, help);
                } else {
                    map.seen.insert(key.clone(), at);
                    map.entries.push(Entry { at, key, node });
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Stop> {
        self.node_count += nodes;
        if self.node_count <= limits::NODES {
            return Ok(());
        }
        let message = format!("the file has more than {} values", limits::NODES);
        let help = "use fewer aliases, or split the file";
        self.stop(Code::TooMany, at, message, help)
    }

    fn check_depth(&mut self, beneath: usize, at: Position) -> Result<(), Stop> {
        if self.stack.len() + beneath <= limits::NESTING {
            return Ok(());
        }
        let message = format!(
            "lists and maps are nested deeper than {} levels",
            limits::NESTING
        );
        self.stop(Code::TooMany, at, message, "reduce the nesting")
    }

    fn refuse_key(&mut self, at: Position) -> Result<(), Stop> {
        let help = "use a plain word or quoted text as the key";
        self.stop(Code::UnusedYaml, at, "a key must be text", help)
    }

    /// Whether the tag says that this is a text; other tags are refused.
    fn read_tag(&mut self, tag: Option<&Tag>, at: Position) -> Result<bool, Stop> {
        match tag {
            Some(tag) if tag.core_suffix() == Some("str") => Ok(true),
            other => self.refuse_tag(other, at).map(|()| false),
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, at: Position) -> Result<(), Stop> {
        let Some(tag) = tag else {
            return Ok(());
        };
        let message = format!("the YAML tag !{} is not supported", tag.suffix());
        self.stop(Code::UnusedYaml, at, message, "remove the tag")
    }

    fn stop(
        &mut self,
        code: Code,
        at: Position,
        message: impl Into<String>,
        help: &str,
    ) -> Result<(), Stop> {
        self.faults.error(code, at, message, help);
        Err(Stop)
    }

    fn position(&self, marker: granit_parser::Marker) -> Position {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position {
            file: self.file,
            line: number(marker.line().max(1)),
            column: number(marker.col()).saturating_add(1),
        }
    }
}

/// How many nodes a tree has, and how many levels of lists and maps.
fn measure(node: &Node) -> (usize, usize) {
    let items = node.items().iter();
    let values = node.entries().iter().map(|entry| &entry.node);
    let is_leaf = !matches!(node.value, Value::List(_) | Value::Map(_));
    let beneath = items.chain(values).map(measure);
    let (count, depth) = beneath.fold((1, 0), |(count, depth), (more, deep)| {
        (count + more, depth.max(deep))
    });
    (count, if is_leaf { 0 } else { depth + 1 })
}
