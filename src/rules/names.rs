//! The names of all things over all files, and references to them.

use std::collections::BTreeMap;

use crate::document::{Code, Diagnostics, Entry, Position, Value, check_count, named, values};
use crate::engine::ids::IntegrationName;
use crate::text::{suggest, truncate::quoted};

use super::Context;
use super::documents::{Documents, Section};
use super::limits;

/// What is called what; of two with one name the first.
#[derive(Debug, Default)]
pub struct Names<'doc>([Things<'doc>; Section::ALL.len()]);

type Things<'doc> = BTreeMap<&'doc str, &'doc Entry>;

impl<'doc> Names<'doc> {
    /// Collects the names; reports those that stand twice or cannot be names.
    pub fn collect(documents: &'doc Documents, faults: &mut Diagnostics) -> Self {
        let mut names = Self::default();
        for section in Section::ALL {
            for node in documents.sections(section.key()) {
                let is_set = node.value != Value::Null;
                if is_set {
                    named(node, &format!("`{}`", section.key()), usize::MAX, faults);
                }
            }
            for entry in documents.things(section) {
                check_name(section, entry, faults);
                names.add(section, entry, documents, faults);
            }
            names.check_count(section, faults);
        }
        names
    }

    /// The things of a kind by name.
    pub fn of(&self, section: Section) -> &Things<'doc> {
        &self.0[section as usize]
    }

    /// Those in a list, which borrows nothing of the names.
    pub fn entries(&self, section: Section) -> Vec<&'doc Entry> {
        self.of(section).values().copied().collect()
    }

    fn add(
        &mut self,
        section: Section,
        entry: &'doc Entry,
        documents: &Documents,
        faults: &mut Diagnostics,
    ) {
        let known = &mut self.0[section as usize];
        let Some(first) = known.get(entry.key.as_str()) else {
            known.insert(&entry.key, entry);
            return;
        };
        let message = format!(
            "the {} {} is already defined in {} on line {}",
            section.noun(),
            quoted(&entry.key),
            documents.path_of(first.at),
            first.at.line
        );
        faults.error(
            Code::DuplicateName,
            entry.at,
            message,
            "rename or remove one of the two",
        );
    }

    fn check_count(&self, section: Section, faults: &mut Diagnostics) {
        let known = self.of(section);
        if let Some(entry) = known.values().next() {
            let what = format!("`{}`", section.key());
            check_count(entry.at, &what, known.len(), limits::OF_A_SECTION, faults);
        }
    }
}

/// Makes names unique by numbers: `name`, `name#2`, `name#3`.
#[derive(Debug, Default)]
pub struct Numbers {
    last: BTreeMap<String, u64>,
}

impl Numbers {
    /// The name, or the name with the first number that is not taken.
    pub fn free(&mut self, name: &str, is_taken: impl Fn(&str) -> bool) -> String {
        if !is_taken(name) {
            return name.to_owned();
        }
        let last = self.last.entry(name.to_owned()).or_insert(1);
        loop {
            *last += 1;
            let numbered = format!("{name}#{last}");
            if !is_taken(&numbered) {
                return numbered;
            }
        }
    }
}

/// Names are short, without spaces and slashes, and not words that mean something else.
fn check_name(section: Section, entry: &Entry, faults: &mut Diagnostics) {
    let (at, name) = (entry.at, entry.key.as_str());
    let reserved = match section {
        Section::Users => Some(("nobody", "means an empty turn in schedules")),
        Section::Policies => Some(("none", "means that nobody is expected to acknowledge")),
        Section::Integrations => Some((
            IntegrationName::ROUTER,
            "is the integration of the router itself",
        )),
        Section::Schedules
        | Section::Providers
        | Section::Services
        | Section::Checks
        | Section::StatusPages => None,
    };
    if let Some((word, meaning)) = reserved.filter(|(word, _)| *word == name) {
        let message = format!(
            "`{word}` {meaning}, so a {} cannot have this name",
            section.noun()
        );
        faults.error(Code::BadName, at, message, "choose another name");
    }
    if section == Section::Services {
        // Monitors name services as they like.
        return check_free_name(section.noun(), name, at, faults);
    }
    check_word(section.noun(), name, at, faults);
    let is_in_urls = matches!(
        section,
        Section::Integrations | Section::Providers | Section::Checks | Section::StatusPages
    );
    if is_in_urls {
        check_ascii(section.noun(), name, at, faults);
    }
}

/// Reports a name that is too long or has no place on one line.
fn check_free_name(noun: &str, name: &str, at: Position, faults: &mut Diagnostics) {
    let is_short = name.chars().count() <= limits::NAME_CHARACTERS;
    if is_short && !name.trim().is_empty() && !name.contains(char::is_control) {
        return;
    }
    let message = format!("{} cannot be the name of a {noun}", quoted(name));
    let help = format!(
        "use at most {} characters on one line",
        limits::NAME_CHARACTERS
    );
    faults.error(Code::BadName, at, message, help);
}

/// Reports a name that cannot stand in an address.
pub fn check_ascii(noun: &str, name: &str, at: Position, faults: &mut Diagnostics) {
    if name.is_ascii() {
        return;
    }
    let message = format!("the {noun} name {} cannot be used in a URL", quoted(name));
    let help = "use letters a to z, digits and . _ - only";
    faults.error(Code::BadName, at, message, help);
}

/// Reports a name that targets could not refer to.
pub fn check_word(noun: &str, name: &str, at: Position, faults: &mut Diagnostics) {
    let is_short = name.chars().count() <= limits::NAME_CHARACTERS;
    if is_short && values::is_name(name) {
        return;
    }
    let message = format!("{} cannot be the name of a {noun}", quoted(name));
    let help = format!(
        "use at most {} letters, digits and . _ - @ +, starting with a letter or digit",
        limits::NAME_CHARACTERS
    );
    faults.error(Code::BadName, at, message, help);
}

impl Context<'_> {
    /// Whether the thing exists; reports it if not, unless a file could not be read.
    pub fn check_reference(&mut self, section: Section, name: &str, at: Position) -> bool {
        let known = self.names.of(section);
        if known.contains_key(name) {
            return true;
        }
        if !self.documents.is_incomplete() {
            let code = match section {
                Section::Users => Code::UnknownUser,
                Section::Schedules => Code::UnknownSchedule,
                Section::Policies => Code::UnknownPolicy,
                Section::Integrations
                | Section::Providers
                | Section::Services
                | Section::Checks
                | Section::StatusPages => Code::UnknownKey,
            };
            let message = format!("no {} {}", section.noun(), quoted(name));
            let lead = format!("{} are", section.key());
            let help = suggest::help(name, known.keys().copied(), &lead);
            self.faults.error(code, at, message, help);
        }
        false
    }
}
