//! Watched providers: where their pages are, what of them counts, and how urgent it is.

use std::collections::BTreeMap;

use crate::document::{Code, Diagnostic, Diagnostics, Entry, MapReader, MapSchema, text};
use crate::engine::event::Text;
use crate::engine::ids::ProviderName;
use crate::engine::matcher::Matcher;
use crate::engine::provider_rules::{
    FEED_KIND, ImpactUrgency, JSON_KIND, PageSource, ProviderFilter, ProviderRules, StatusMapping,
};
use crate::engine::status_report::{ComponentState, Impact, ReportPhase};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::status::{self, KINDS, StatusAddress};
use crate::text::{suggest, truncate::quoted};

use super::documents::{self, Section};
use super::limits;
use super::mapping::pointer;
use super::names::Names;
use super::{Context, Environment, SourceFile};

const PROVIDER: MapSchema = MapSchema {
    what: "a provider",
    keys: &[
        "url",
        "feed",
        "json",
        "kind",
        "map",
        "every",
        "match",
        "urgency",
        "labels",
        "service",
        "on_add",
        "raise_when",
        "checks",
    ],
    foreign: &[
        ("type", "write `kind`"),
        ("interval", "write `every`"),
        ("matchers", "write `match`"),
        ("components", "write `match: ['component=~\"NAME|NAME\"']`"),
    ],
    may_be_empty: false,
};

const URGENCY: MapSchema = MapSchema {
    what: "the urgency of a provider",
    keys: &["critical", "major", "minor", "none", "maintenance"],
    foreign: &[],
    may_be_empty: false,
};

const MAP: MapSchema = MapSchema {
    what: "`map`",
    keys: &[
        "generated_at",
        "age_max",
        "page",
        "components",
        "component_id",
        "component_name",
        "component_group",
        "component_state",
        "incidents",
        "incident_id",
        "incident_title",
        "incident_text",
        "incident_url",
        "incident_impact",
        "incident_state",
        "incident_components",
        "started_at",
        "updated_at",
        "states",
        "impacts",
        "phases",
    ],
    foreign: &[
        ("name", "write `incident_title` or `component_name`"),
        ("title", "write `incident_title`"),
        ("id", "write `incident_id` or `component_id`"),
    ],
    may_be_empty: false,
};

/// How many own alerts make an incident urgent; `never` leaves it to what the page says.
fn raise_when(table: &MapReader<'_>, faults: &mut Diagnostics) -> Option<usize> {
    let given = table.get("raise_when");
    if given.is_some_and(|node| node.as_text() == Some("never")) {
        return None;
    }
    let count = table.number("raise_when", 1..=RAISE_WHEN_MAX, faults);
    let count = count.and_then(|count| usize::try_from(count).ok());
    Some(count.unwrap_or(ProviderRules::RAISE_WHEN))
}

/// Whether it is the one page of AWS, which lists the events of all regions.
fn is_of_all_regions(page: &PageSource) -> bool {
    const HOSTS: [&str; 2] = ["health.aws.amazon.com", "status.aws.amazon.com"];
    let address = StatusAddress::parse(&page.url);
    let is_there = address.is_some_and(|address| HOSTS.contains(&address.host.as_str()));
    page.kind == Some("aws") || (page.kind.is_none() && is_there)
}

/// How old a page may be that says when it was made.
fn age_max(table: &MapReader<'_>, faults: &mut Diagnostics) -> Option<Duration> {
    let given = table.duration("age_max", AGE_MAX_RANGE, faults);
    if table.get("generated_at").is_some() {
        return Some(given.unwrap_or(AGE_MAX));
    }
    if let Some(at) = table.key_at("age_max") {
        let message = "`age_max` without `generated_at` says nothing";
        let help = "add `generated_at: /pointer` to the time at which the page was made, or \
            remove `age_max`";
        faults.error(Code::UnknownKey, at, message, help);
    }
    None
}

const AGE_MAX: Duration = Duration::hours(1);
const AGE_MAX_RANGE: std::ops::RangeInclusive<Duration> = Duration::minutes(1)..=Duration::days(7);

const RAISE_WHEN_MAX: i64 = 1_000;
const EVERY_MIN: Duration = Duration::seconds(30);
const EVERY_MAX: Duration = Duration::hours(1);

/// Words that a mapping may translate.
const WORDS_MAX: usize = 200;

/// Reads one provider as it would stand in the rules, without the rest of them: `json` is its map.
/// The second part is all that is wrong with it.
pub fn alone(json: &str) -> (Option<ProviderRules>, Vec<Diagnostic>) {
    let file = SourceFile {
        path: "provider".to_owned(),
        // JSON is YAML.
        text: format!("providers: {{ probe: {json} }}"),
    };
    let (documents, mut read_faults) = documents::read(&[file]);
    let environment = Environment::default();
    let mut faults = Diagnostics::default();
    let names = Names::collect(&documents, &mut faults);
    let mut context = Context {
        documents: &documents,
        names,
        environment: &environment,
        faults,
    };
    let provider = context.providers().into_values().next();
    read_faults.extend(context.faults.finish(&documents.paths()));
    let has_error = read_faults.iter().any(Diagnostic::is_error);
    (provider.filter(|_| !has_error), read_faults)
}

impl Context<'_> {
    pub(super) fn providers(&mut self) -> BTreeMap<ProviderName, ProviderRules> {
        let entries = self.names.entries(Section::Providers);
        let read = entries.iter().map(|entry| {
            let provider = self.provider(entry);
            (provider.name.clone(), provider)
        });
        read.collect()
    }

    fn provider(&mut self, entry: &Entry) -> ProviderRules {
        let table = MapReader::open(&entry.node, &PROVIDER, &mut self.faults);
        let page = self.page_source(entry, &table);
        let faults = &mut self.faults;
        let every = table.duration("every", EVERY_MIN..=EVERY_MAX, faults);
        let on_add = table.choice("on_add", &["show", "page"], faults);
        let service = table.text("service", faults).map(Text::from);
        let raise_when = raise_when(&table, faults);
        let filter = self.provider_filter(&table);
        if is_of_all_regions(&page) && filter.matchers.is_empty() {
            let message = format!(
                "provider {} pages for each region and service of AWS, some of which have \
                 incidents for months",
                quoted(&entry.key)
            );
            let help = "add what you use, such as `match: ['component=~\"eu-west-1|us-east-1\"']`";
            self.faults
                .warning(Code::AllRegions, entry.at, message, help);
        }
        ProviderRules {
            name: entry.key.as_str().into(),
            page,
            every,
            filter,
            urgency: self.impact_urgency(&table),
            labels: self.labels(&table),
            service,
            pages_on_add: on_add == Some(1),
            raise_when,
        }
    }

    /// Exactly one of `url`, `feed` and `json`.
    fn page_source(&mut self, entry: &Entry, table: &MapReader<'_>) -> PageSource {
        let words = ["url", "feed", "json"];
        let given: Vec<&str> = words
            .into_iter()
            .filter(|word| table.get(word).is_some())
            .collect();
        let word = match given[..] {
            [word] => word,
            [] => {
                let message = format!("provider {} has no page", quoted(&entry.key));
                let help = "add `url: \"https://status.example.com\"`, or `feed` or `json`";
                self.faults.error(Code::MissingKey, entry.at, message, help);
                "url"
            }
            [first, second, ..] => {
                let message = format!("a provider has `{first}` or `{second}`, not both");
                let at = table.key_at(second).unwrap_or(entry.at);
                self.faults
                    .error(Code::RepeatedKey, at, message, "remove one of them");
                first
            }
        };
        let url = self.page_url(entry, table, word);
        let kind = self.page_kind(table, word);
        PageSource {
            url,
            kind,
            mapping: self.status_mapping(table, word),
        }
    }

    fn page_url(&mut self, entry: &Entry, table: &MapReader<'_>, word: &str) -> Text {
        let Some(url) = table.text(word, &mut self.faults) else {
            return "".into();
        };
        let at = table.get(word).map_or(entry.at, |node| node.at);
        let address = StatusAddress::parse(url);
        let is_web = address
            .as_ref()
            .is_some_and(|address| matches!(address.scheme.as_str(), "http" | "https"));
        let is_secret = address.is_some_and(|address| address.host.contains('@'));
        if is_secret {
            let message = format!("the address of provider {} contains a user name", entry.key);
            let help = "remove what is in front of the @";
            self.faults.error(Code::BadAddress, at, message, help);
        } else if is_web {
            let whose = format!("provider {}", entry.key);
            self.check_asked_address(&whose, url, at);
        } else {
            let message = format!("{} is not the address of a page", quoted(url));
            let help = "write it whole: \"https://status.example.com\"";
            self.faults.error(Code::BadAddress, at, message, help);
        }
        url.into()
    }

    /// The kind of the page; `None` is found by asking.
    fn page_kind(&mut self, table: &MapReader<'_>, word: &str) -> Option<&'static str> {
        let given = table.text("kind", &mut self.faults);
        let by_word = match word {
            "feed" => Some(FEED_KIND),
            "json" => Some(JSON_KIND),
            _ => None,
        };
        let Some(given) = given else {
            return by_word;
        };
        let at = table.get("kind").map_or(table.at, |node| node.at);
        if let Some(kind) = by_word {
            let message = format!("`{word}` says of which kind it is: {kind}");
            let help = "remove `kind`, or write `url`";
            self.faults.error(Code::UnknownKey, at, message, help);
            return Some(kind);
        }
        let known = status::kind(given).map(|kind| kind.word);
        if known.is_none() {
            let message = format!("{} is no kind of status page", quoted(given));
            let words = KINDS.iter().map(|kind| kind.word);
            let help = suggest::help(given, words, "the kinds are");
            self.faults.error(Code::BadChoice, at, message, help);
        }
        known
    }

    fn provider_filter(&mut self, table: &MapReader<'_>) -> ProviderFilter {
        let faults = &mut self.faults;
        let items = table.list("match", limits::MATCHERS_PER_ROUTE, faults);
        let mut matchers = Vec::new();
        for item in items.unwrap_or_default() {
            let Some(written) = text(item, "a matcher", faults) else {
                continue;
            };
            match Matcher::parse(written) {
                Ok(matcher) if ProviderFilter::FIELDS.contains(&&*matcher.name) => {
                    matchers.push(matcher);
                }
                Ok(matcher) => {
                    let message =
                        format!("`match` of a provider knows no {}", quoted(&matcher.name));
                    let help = suggest::help(
                        &matcher.name,
                        ProviderFilter::FIELDS,
                        "conditions are about",
                    );
                    faults.error(Code::NeverMatches, item.at, message, help);
                }
                Err(error) => {
                    let message = format!("{} is not a matcher: {}", quoted(written), error.cause);
                    let help = "write one condition as text: 'component=~\"API|Web\"'";
                    faults.error(Code::BadMatcher, item.at, message, help);
                }
            }
        }
        ProviderFilter { matchers }
    }

    fn impact_urgency(&mut self, table: &MapReader<'_>) -> ImpactUrgency {
        let mut urgency = ImpactUrgency::default();
        let Some(node) = table.get("urgency") else {
            return urgency;
        };
        let faults = &mut self.faults;
        let table = MapReader::open(node, &URGENCY, faults);
        let fields = [
            ("critical", &mut urgency.critical),
            ("major", &mut urgency.major),
            ("minor", &mut urgency.minor),
            ("none", &mut urgency.none),
            ("maintenance", &mut urgency.maintenance),
        ];
        let values = [Some(Urgency::High), Some(Urgency::Low), None];
        for (key, field) in fields {
            if let Some(chosen) = table.choice(key, &["high", "low", "none"], faults) {
                *field = values[chosen];
            }
        }
        urgency
    }

    fn status_mapping(&mut self, table: &MapReader<'_>, word: &str) -> Option<Box<StatusMapping>> {
        let faults = &mut self.faults;
        if word != "json" {
            if let Some(at) = table.key_at("map") {
                let message = "only a page under `json` has a `map`";
                let help = "remove it, or write the address under `json`";
                faults.error(Code::UnknownKey, at, message, help);
            }
            return None;
        }
        let node = table.require(
            "map",
            "{ incidents: /incidents, incident_id: /id, incident_title: /title }",
            faults,
        )?;
        let table = MapReader::open(node, &MAP, faults);
        let incidents = table.get("incidents").or(table.get("components"));
        if incidents.is_none() {
            table.require("incidents", "/incidents", faults);
        }
        let age_max = age_max(&table, faults);
        let mut at = |key: &str| table.get(key).and_then(|node| pointer(node, faults));
        let mapping = StatusMapping {
            generated_at: at("generated_at"),
            age_max,
            page: at("page"),
            components: at("components"),
            component_id: at("component_id"),
            component_name: at("component_name"),
            component_group: at("component_group"),
            component_state: at("component_state"),
            incidents: at("incidents"),
            incident_id: at("incident_id"),
            incident_title: at("incident_title"),
            incident_text: at("incident_text"),
            incident_url: at("incident_url"),
            incident_impact: at("incident_impact"),
            incident_state: at("incident_state"),
            incident_components: at("incident_components"),
            started_at: at("started_at"),
            updated_at: at("updated_at"),
            ..StatusMapping::default()
        };
        Some(Box::new(StatusMapping {
            states: self.words_of(&table, "states", &STATES, ComponentState::as_str),
            impacts: self.words_of(&table, "impacts", &IMPACTS, Impact::as_str),
            phases: self.words_of(&table, "phases", &PHASES, ReportPhase::as_str),
            ..mapping
        }))
    }

    /// A map from words of the page to ours.
    fn words_of<T: Copy>(
        &mut self,
        table: &MapReader<'_>,
        key: &str,
        known: &[T],
        word_of: fn(T) -> &'static str,
    ) -> BTreeMap<String, T> {
        let faults = &mut self.faults;
        let mut words = BTreeMap::new();
        for entry in table.named(key, WORDS_MAX, faults) {
            let Some(word) = text(&entry.node, "a word", faults) else {
                continue;
            };
            let found = known.iter().find(|known| word_of(**known) == word);
            if let Some(found) = found {
                words.insert(entry.key.clone(), *found);
                continue;
            }
            let message = format!("`{key}` cannot be {}", quoted(word));
            let words = known.iter().map(|known| word_of(*known));
            let help = suggest::help(word, words, "write one of");
            faults.error(Code::BadChoice, entry.node.at, message, help);
        }
        words
    }
}

const STATES: [ComponentState; 6] = [
    ComponentState::Operational,
    ComponentState::Degraded,
    ComponentState::PartialOutage,
    ComponentState::MajorOutage,
    ComponentState::Maintenance,
    ComponentState::Unknown,
];

const IMPACTS: [Impact; 5] = [
    Impact::None,
    Impact::Minor,
    Impact::Major,
    Impact::Critical,
    Impact::Maintenance,
];

const PHASES: [ReportPhase; 3] = [
    ReportPhase::Scheduled,
    ReportPhase::Open,
    ReportPhase::Closed,
];
