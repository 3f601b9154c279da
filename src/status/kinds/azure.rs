//! Microsoft Azure's feed, which lists what is open and nothing else.
//!
//! An empty one is the normal state, and cannot be told from a feed that a sick instance serves.

use crate::engine::event::Text;
use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::Duration;
use crate::status::closing_words::told;
use crate::status::draft::{self, ReportDraft};
use crate::status::feed::{FeedItem, is_feed, parse};
use crate::status::fields::{made_id, shape, succeeded};
use crate::status::plain_text::plain_text;
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};
use crate::text::one_line;

const WORD: &str = "azure";
const TITLE: &str = "Azure Status";

/// The kind as it stands in the table.
pub static AZURE: StatusKind = StatusKind {
    word: WORD,
    name: "Microsoft Azure",
    documents: |address| vec![StatusDocument::required(address.whole())],
    recognises: |answer| {
        is_feed(answer.body)
            && parse(answer.body, WORD).is_ok_and(|feed| feed.title.trim() == TITLE)
    },
    read,
    every: Duration::minutes(2),
    flips: false,
};

/// Names of regions as titles write them, those first that contain another one.
const REGIONS: &[&str] = &[
    "West US 2",
    "West US 3",
    "East US 2",
    "West Central US",
    "North Central US",
    "South Central US",
    "Central US",
    "West US",
    "East US",
    "Canada Central",
    "Canada East",
    "Brazil South",
    "Mexico Central",
    "Chile Central",
    "North Europe",
    "West Europe",
    "UK South",
    "UK West",
    "France Central",
    "France South",
    "Germany West Central",
    "Germany North",
    "Switzerland North",
    "Switzerland West",
    "Norway East",
    "Norway West",
    "Sweden Central",
    "Italy North",
    "Spain Central",
    "Poland Central",
    "Austria East",
    "Belgium Central",
    "Southeast Asia",
    "East Asia",
    "Australia Southeast",
    "Australia East",
    "Australia Central",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Korea South",
    "Central India",
    "South India",
    "West India",
    "Malaysia West",
    "Indonesia Central",
    "New Zealand North",
    "UAE North",
    "UAE Central",
    "Qatar Central",
    "Israel Central",
    "South Africa North",
    "South Africa West",
];

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let document = parse(succeeded(look, 0, WORD)?.body, WORD)?;
    if document.title.trim() != TITLE {
        return Err(shape(WORD, "its title is not Azure's"));
    }
    let mut draft = ReportDraft::default();
    for item in &document.items {
        draft.incident(incident(item));
    }
    draft.finish(TITLE.into(), TITLE.into(), Listing::OpenOnly)
}

fn incident(item: &FeedItem) -> Option<ReportedIncident> {
    let title = one_line(&plain_text(&item.title, 300));
    if title.is_empty() && item.guid.is_empty() {
        return None;
    }
    // The slug comes again for another outage with the same title.
    let day = item.published.map(|date| date.to_string());
    let day = day.as_deref().and_then(|date| date.split('T').next());
    let day = day.unwrap_or_default();
    let id: Text = match item.guid.as_str() {
        "" => made_id(&[&title, day]),
        slug => format!("{slug}@{day}").into(),
    };
    let (phase, impact) = match told(&title) {
        Some(ReportPhase::Closed) => (ReportPhase::Closed, Impact::None),
        Some(ReportPhase::Open | ReportPhase::Scheduled) | None => {
            (ReportPhase::Open, Impact::Minor)
        }
    };
    let mut components: Vec<Text> = Vec::new();
    for scope in regions(&title).chain(item.categories.iter().map(|name| one_line(name))) {
        let scope: Text = scope.into();
        if !components.contains(&scope) {
            components.push(scope);
        }
    }
    Some(ReportedIncident {
        text: plain_text(&item.text, ReportedIncident::TEXT_CHARACTERS).into(),
        url: (!item.link.is_empty()).then(|| item.link.as_str().into()),
        impact,
        phase,
        components,
        started_at: item.published,
        updated_at: item.updated.max(item.published),
        ..draft::incident(id, title.into())
    })
}

/// The regions that a title names.
fn regions(title: &str) -> impl Iterator<Item = String> {
    let mut rest = title.to_owned();
    REGIONS.iter().filter_map(move |region| {
        let found = rest.contains(region);
        if found {
            rest = rest.replace(region, "·");
        }
        found.then(|| (*region).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::pages::look_at;
    use super::*;

    fn feed(items: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Azure Status</title>\
             <link>https://azure.status.example.com/</link>{items}</channel></rss>"
        )
    }

    fn item(title: &str) -> String {
        feed(&format!(
            "<item><guid isPermaLink=\"false\">slug</guid><title>{title}</title>\
             <category>Storage</category><category>West US</category>\
             <description>&lt;p&gt;Also used in North Europe.&lt;/p&gt;</description>\
             <pubDate>2026-07-23T16:29:09Z</pubDate></item>"
        ))
    }

    #[test]
    fn nothing_open_is_an_answer_and_another_feed_is_not() {
        let report = look_at(&AZURE, &feed("")).unwrap();
        assert_eq!(report.incidents, []);
        assert_eq!(report.listing, Listing::OpenOnly);
        let other = feed("").replace("Azure Status", "Acme");
        assert!(look_at(&AZURE, &other).is_err());
    }

    #[test]
    fn an_item_is_an_outage_of_the_regions_that_title_and_categories_name() {
        let report = look_at(&AZURE, &item("Storage errors in West US 2")).unwrap();
        let incident = &report.incidents[0];
        assert_eq!(&*incident.id, "slug@2026-07-23");
        assert_eq!(incident.phase, ReportPhase::Open);
        let scopes: Vec<&str> = incident.components.iter().map(|name| &**name).collect();
        assert_eq!(scopes, ["West US 2", "Storage", "West US"]);
    }

    #[test]
    fn the_last_clause_of_the_title_says_whether_it_is_over() {
        let cases = [
            ("Storage errors - Resolved", ReportPhase::Closed),
            ("Unresolved storage errors", ReportPhase::Open),
            (
                "Resolved in North Europe. Impact continues in West Europe",
                ReportPhase::Open,
            ),
        ];
        for (title, phase) in cases {
            let report = look_at(&AZURE, &item(title)).unwrap();
            assert_eq!(report.incidents[0].phase, phase, "{title}");
        }
    }
}
