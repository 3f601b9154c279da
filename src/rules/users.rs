//! Users and the ways to reach them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::document::{
    Code, Diagnostics, Entry, MapReader, MapSchema, Node, Position, Value, text, values,
};
use crate::engine::ids::UserName;
use crate::engine::ruleset::{Contact, Medium, TestPage, User};
use crate::text::truncate::quoted;

use super::documents::Section;
use super::limits;
use super::{Context, names, notify};

const USER: MapSchema = MapSchema {
    what: "a user",
    keys: &["full_name", "time_zone", "contacts", "notify", "test_page"],
    foreign: &[
        (
            "email",
            "write it as a contact: `contacts: { mail: { email: … } }`",
        ),
        (
            "phone",
            "write it as a contact: `contacts: { phone: { sms: \"+…\" } }`",
        ),
        (
            "name",
            "write `full_name`; the key before the colon is the user's name",
        ),
        ("timezone", "write `time_zone`"),
    ],
    may_be_empty: false,
};

const CONTACT: MapSchema = MapSchema {
    what: "a contact",
    keys: &["email", "sms", "slack", "webhook"],
    foreign: &[
        ("mail", "write `email`"),
        ("phone", "write `sms`"),
        ("url", "write `webhook`"),
    ],
    may_be_empty: false,
};

/// The media of contacts with their keys.
const MEDIA: [Medium; 4] = [Medium::Email, Medium::Sms, Medium::Slack, Medium::Webhook];

impl Context<'_> {
    pub(super) fn users(&mut self) -> BTreeMap<UserName, User> {
        let entries = self.names.entries(Section::Users);
        let users: BTreeMap<UserName, User> = entries
            .iter()
            .map(|entry| (entry.key.as_str().into(), self.user(entry)))
            .collect();
        self.warn_of_shared_numbers(&users, &entries);
        users
    }

    /// A reply from a shared number is that of whoever was paged, and STOP concerns all.
    fn warn_of_shared_numbers(&mut self, users: &BTreeMap<UserName, User>, entries: &[&Entry]) {
        let mut owners: BTreeMap<&str, &UserName> = BTreeMap::new();
        for (name, user) in users {
            let numbers = user.contacts.iter().filter(|own| own.medium == Medium::Sms);
            for number in numbers.map(|own| &*own.address) {
                let first = *owners.entry(number).or_insert(name);
                let entry = entries.iter().find(|entry| entry.key == name.as_str());
                let Some(entry) = entry.filter(|_| first != name) else {
                    continue;
                };
                let message = format!("{name} has the same phone number as {first}");
                let help = "a reply counts for whoever was paged, and STOP for both; give each \
                    their own number if possible";
                self.faults
                    .warning(Code::SharedContact, entry.at, message, help);
            }
        }
    }

    fn user(&mut self, entry: &Entry) -> User {
        let faults = &mut self.faults;
        let table = MapReader::open(&entry.node, &USER, faults);
        let full_name = table.text("full_name", faults).unwrap_or(&entry.key);
        let time_zone = match table.get("time_zone") {
            Some(node) => self.environment.zones.zone(node, faults),
            None => TimeZone::UTC,
        };
        let contacts: Vec<Contact> = table
            .named("contacts", limits::CONTACTS_PER_USER, faults)
            .iter()
            .filter_map(|entry| self.contact(entry))
            .collect();
        if table
            .get("contacts")
            .is_none_or(|node| node.entries().is_empty())
        {
            let message = format!("the user {} has no contacts and cannot be paged", entry.key);
            let help = "add `contacts`, such as `contacts: { mail: { email: ana@example.com } }`";
            self.faults
                .warning(Code::UserWithoutContacts, entry.at, message, help);
        }
        let notify = notify::read(&table, &contacts, &mut self.faults);
        let test_page = table
            .get("test_page")
            .and_then(|node| test_page(node, &mut self.faults));
        User {
            full_name: full_name.into(),
            time_zone,
            contacts,
            notify,
            test_page,
        }
    }

    fn contact(&mut self, entry: &Entry) -> Option<Contact> {
        let faults = &mut self.faults;
        names::check_word("contact", &entry.key, entry.at, faults);
        let table = MapReader::open(&entry.node, &CONTACT, faults);
        let mut found = MEDIA
            .into_iter()
            .filter_map(|medium| Some((medium, table.get(medium.as_str())?)));
        let Some((medium, node)) = found.next() else {
            if entry.node.entries().is_empty() {
                let message = format!("the contact {} has no address", entry.key);
                let help = "add one of `email`, `sms`, `slack`, `webhook`";
                faults.error(Code::MissingKey, entry.at, message, help);
            }
            return None;
        };
        if let Some((second, node)) = found.next() {
            let message = format!("the contact {} has both {medium} and {second}", entry.key);
            let help = "make each its own contact";
            faults.error(Code::BadAddress, node.at, message, help);
        }
        let address = address(medium, node, faults)?;
        if medium == Medium::Webhook && values::is_web_address(address) {
            self.check_web_address(&format!("the contact {}", entry.key), address, node.at);
        }
        self.check_channel(medium, entry);
        Some(Contact {
            name: entry.key.as_str().into(),
            medium,
            address: address.into(),
        })
    }

    fn check_channel(&mut self, medium: Medium, entry: &Entry) {
        if !self.environment.carries(medium) {
            let message = format!(
                "no channel can send {medium}, so {} reaches nobody",
                entry.key
            );
            let help = format!("configure a [[channel]] for {medium} in reveille.toml");
            self.faults
                .warning(Code::ContactWithoutChannel, entry.at, message, help);
        }
    }
}

/// `never`, or a time of the week on the user's clock: `"tue 10:30"`.
fn test_page(node: &Node, faults: &mut Diagnostics) -> Option<TestPage> {
    let text = node.as_text();
    if text == Some("never") {
        return Some(TestPage::Never);
    }
    let time = text.and_then(values::weekly_time);
    if time.is_none() {
        let message = format!("`test_page` cannot be {}", node.value.describe());
        let help = "write a weekday and a time of day, \"tue 10:30\", or `never`";
        faults.error(Code::BadTime, node.at, message, help);
    }
    time.map(TestPage::At)
}

/// An address that fits its medium.
fn address<'doc>(medium: Medium, node: &'doc Node, faults: &mut Diagnostics) -> Option<&'doc str> {
    let is_number = matches!(node.value, Value::Integer(_));
    if medium == Medium::Sms && is_number {
        let message = "YAML reads a phone number without quotes as a number".to_owned();
        let help = "put it in quotes, with + and the country: \"+351912345678\"";
        faults.error(Code::Unquoted, node.at, message, help);
        return None;
    }
    let address = text(node, &format!("`{medium}`"), faults)?;
    check_address(medium, address, node.at, faults);
    Some(address)
}

fn check_address(medium: Medium, address: &str, at: Position, faults: &mut Diagnostics) {
    let (is_good, noun, help) = match medium {
        Medium::Email => (
            values::is_email_address(address),
            "an e-mail address",
            "write the address alone, such as ana@example.com",
        ),
        Medium::Sms => (
            values::is_phone_number(address),
            "a phone number in international form",
            "write +, country code and number without spaces: \"+351912345678\"",
        ),
        Medium::Slack => (
            values::is_slack_person(address),
            "a Slack member id or an e-mail address",
            "copy the member id from the Slack profile, such as U024BE7LH",
        ),
        Medium::Webhook => (
            values::is_web_address(address),
            "a web address",
            "write it with https:// and a host",
        ),
        Medium::Console => (true, "anything", ""),
    };
    if !is_good {
        let message = format!("{} is not {noun}", quoted(address));
        faults.error(Code::BadAddress, at, message, help);
    }
}
