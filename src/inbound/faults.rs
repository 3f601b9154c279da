//! Collects what was cut, repaired or refused, each with its place in the body.
//!
//! The lists are bounded: a sender that gets everything wrong must not make receipts grow. What is
//! left off is counted in the last entry.

use std::fmt::{self, Display};

use crate::engine::event::Fault;
use crate::text::truncate::prefix;

/// Faults named of one event, as they are kept on its receipt.
const OF_EVENT_MAX: usize = 32;
/// Faults named of one request.
const OF_REQUEST_MAX: usize = 1_000;
/// Characters of a member name shown in a path.
const NAME_CHARACTERS_MAX: usize = 64;

/// A bounded list of faults.
#[derive(Debug)]
pub struct Faults {
    list: Vec<Fault>,
    max: usize,
    left_off: usize,
}

impl Faults {
    /// A list for one event.
    pub fn of_event() -> Self {
        Self::with_max(OF_EVENT_MAX)
    }

    /// A list for a whole request.
    pub fn of_request() -> Self {
        Self::with_max(OF_REQUEST_MAX)
    }

    fn with_max(max: usize) -> Self {
        Self {
            list: Vec::new(),
            max,
            left_off: 0,
        }
    }

    /// Notes a problem, once. The texts are made only if there is room for them.
    pub fn add(&mut self, place: impl Display, problem: impl Display) {
        if self.list.len() >= self.max {
            self.left_off += 1;
            return;
        }
        let fault = Fault {
            path: place.to_string(),
            problem: problem.to_string(),
        };
        if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Takes over all faults of another list.
    pub fn append(&mut self, other: Self) {
        self.left_off += other.left_off;
        for fault in other.list {
            self.add(fault.path, fault.problem);
        }
    }

    /// Moves the faults at or beneath `base` into a list for the event that stands there.
    pub fn take_beneath(&mut self, base: &str) -> Self {
        let mut taken = Self::of_event();
        if !self.list.iter().any(|fault| is_beneath(&fault.path, base)) {
            return taken;
        }
        let (beneath, rest) = std::mem::take(&mut self.list)
            .into_iter()
            .partition(|fault: &Fault| is_beneath(&fault.path, base));
        self.list = rest;
        for fault in beneath {
            taken.add(fault.path, fault.problem);
        }
        taken
    }

    /// The list, with a last entry that counts what was left off.
    pub fn into_list(mut self) -> Vec<Fault> {
        if self.left_off > 0 {
            self.list.push(Fault {
                path: "$".to_owned(),
                problem: format!("{} more faults are not listed", self.left_off),
            });
        }
        self.list
    }
}

fn is_beneath(path: &str, base: &str) -> bool {
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A place in the body, by the path of what it stands in. Written out only when it is reported.
#[derive(Clone, Copy, Debug)]
pub enum Place<'body> {
    /// The path itself.
    At(&'body str),
    /// A member of the object at the path.
    Name(&'body str, &'body str),
    /// An element of the array at the path.
    Index(&'body str, usize),
    /// Where an RFC 6901 pointer leads from the path.
    Pointer(&'body str, &'body str),
}

impl Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::At(base) | Self::Name(base, _) | Self::Index(base, _) | Self::Pointer(base, _)) =
            self;
        formatter.write_str(base)?;
        match self {
            Self::At(_) => Ok(()),
            Self::Name(_, name) => write_name(formatter, name),
            Self::Index(_, index) => write!(formatter, "[{index}]"),
            Self::Pointer(_, pointer) => pointer
                .split('/')
                .skip(1)
                .try_for_each(|token| write_token(formatter, token)),
        }
    }
}

/// Writes `.name`, or `["odd name"]` where the name is not a plain word.
pub fn write_name(to: &mut impl fmt::Write, name: &str) -> fmt::Result {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if !name.is_empty() && name.len() <= NAME_CHARACTERS_MAX && name.chars().all(is_word) {
        write!(to, ".{name}")
    } else {
        write!(to, "[{}]", quote(name))
    }
}

fn write_token(to: &mut impl fmt::Write, token: &str) -> fmt::Result {
    if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
        write!(to, "[{token}]")
    } else {
        write_name(to, &token.replace("~1", "/").replace("~0", "~"))
    }
}

/// A text from outside as it may stand in a message: quoted, escaped and short.
pub fn quote(text: &str) -> String {
    match prefix(text, NAME_CHARACTERS_MAX) {
        start if start.len() < text.len() => format!("{:?}", format!("{start}…")),
        whole => format!("{whole:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_json_paths() {
        let long = "x".repeat(100);
        let cut = format!("$[\"{}…\"]", "x".repeat(64));
        let cases = [
            (Place::At("$"), "$"),
            (Place::Name("$[3].labels", "host"), "$[3].labels.host"),
            (Place::Name("$", "a b\n"), "$[\"a b\\n\"]"),
            (Place::Name("$", ""), "$[\"\"]"),
            (Place::Name("$", &long), &cut),
            (Place::Index("$.alerts", 7), "$.alerts[7]"),
            (Place::Pointer("$[0]", "/a/0/b~1c"), "$[0].a[0][\"b/c\"]"),
            (Place::Pointer("$", ""), "$"),
        ];
        for (place, text) in cases {
            assert_eq!(place.to_string(), text);
        }
    }

    #[test]
    fn a_list_is_bounded_and_says_how_much_it_leaves_off() {
        let mut faults = Faults::of_event();
        for index in 0..OF_EVENT_MAX + 5 {
            faults.add(Place::Index("$", index), "is odd");
        }
        let list = faults.into_list();
        assert_eq!(list.len(), OF_EVENT_MAX + 1);
        assert_eq!(list[OF_EVENT_MAX].problem, "5 more faults are not listed");
    }

    #[test]
    fn an_event_takes_the_faults_beneath_it_and_no_others() {
        let mut faults = Faults::of_request();
        for path in ["$[1].a", "$[1]", "$[1][0]", "$[10].a", "$[0]"] {
            faults.add(path, "is odd");
        }
        let taken: Vec<String> = faults
            .take_beneath("$[1]")
            .into_list()
            .into_iter()
            .map(|fault| fault.path)
            .collect();
        assert_eq!(taken, ["$[1].a", "$[1]", "$[1][0]"]);
        assert_eq!(faults.into_list().len(), 2);
    }
}
