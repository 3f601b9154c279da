//! The page that people read: one answer without scripts, and nothing that is fetched from
//! elsewhere.
//!
//! The state stands first, in words, colour and shape; then what happens now, what is planned, each
//! component with its last ninety days, and what was.

use std::collections::BTreeMap;

use askama::Template;

use crate::engine::status_report::ComponentState;
use crate::engine::time::Duration;

use super::phrases::{Phrases, fill, phrases};
use super::post_card::{PostCard, ShownTime, listed};
use super::view::{ComponentGroup, ComponentNode, ComponentView, PostView, StatusPageView};
use super::{addresses, bars, overall, time_text};

/// The one style sheet, inline so that a page is a single answer on a bad line.
pub const STYLE: &str = include_str!("templates/style.css");

/// Updates of an open post that the page shows; its own page has all.
const UPDATES_MAX: usize = 3;
/// Components that the headline names.
const HEADLINE_MAX: usize = 4;
/// How far back the page looks, and how many posts it shows at most.
const PAST: Duration = Duration::days(30);
const PAST_MAX: usize = 15;

/// What every page of a status page has around it.
pub struct PageFrame<'view> {
    pub style: &'static str,
    pub phrases: &'static Phrases,
    pub site: &'view str,
    /// The path of the page, without a slash at the end.
    pub base: &'view str,
    pub is_public: bool,
    pub as_of: ShownTime,
    /// That this is how things were, and may not be how they are.
    pub last_known: Option<String>,
}

impl<'view> PageFrame<'view> {
    pub fn new(view: &'view StatusPageView) -> Self {
        let phrases = phrases(&view.language);
        let as_of = ShownTime::new(view.as_of, phrases);
        let last_known = fill(phrases.page.last_known, &as_of.human);
        Self {
            style: STYLE,
            phrases,
            site: &view.title,
            base: addresses::path(&view.url),
            is_public: view.is_public,
            as_of,
            last_known: (!view.is_certain).then_some(last_known),
        }
    }

    /// Where a form of the page is.
    pub fn to(&self, address: &str) -> String {
        format!("{}{address}", self.base)
    }

    /// The start of the site.
    pub fn home(&self) -> &str {
        if self.base.is_empty() { "/" } else { self.base }
    }
}

#[derive(Template)]
#[template(path = "current.html", config = "src/status_page/askama.toml")]
struct CurrentPage<'view> {
    frame: PageFrame<'view>,
    class: &'static str,
    headline: &'static str,
    affected: Option<String>,
    open: Vec<PostCard>,
    maintenance: Vec<PostCard>,
    groups: Vec<GroupRow<'view>>,
    past: Vec<PastDay>,
}

/// Components under one heading, or some without.
struct GroupRow<'view> {
    heading: Option<(&'view str, &'static str, &'static str)>,
    components: Vec<ComponentRow<'view>>,
}

struct ComponentRow<'view> {
    name: &'view str,
    description: &'view str,
    class: &'static str,
    state: &'static str,
    /// Safe SVG.
    picture: String,
    days: bars::DaysText,
}

/// The posts that began on one day.
struct PastDay {
    machine: String,
    human: String,
    posts: Vec<PostCard>,
}

/// The page.
pub fn html(view: &StatusPageView) -> String {
    let frame = PageFrame::new(view);
    let state = overall::of_page(view);
    let cards = |posts: &[PostView]| {
        let cards = posts.iter();
        cards
            .map(|post| PostCard::new(view, post, UPDATES_MAX))
            .collect()
    };
    let page = CurrentPage {
        class: bars::class(state),
        headline: frame.phrases.overall(state),
        affected: affected(view, state, frame.phrases),
        open: cards(&view.open),
        maintenance: cards(&view.maintenance),
        groups: groups(view, frame.phrases),
        past: past(view, frame.phrases),
        frame,
    };
    rendered(&page)
}

/// A template as text.
pub fn rendered(template: &impl Template) -> String {
    template
        .render()
        .expect("strings are written to a string, which cannot fail")
}

/// Which components are as bad as the headline says.
fn affected(view: &StatusPageView, state: ComponentState, phrases: &Phrases) -> Option<String> {
    if state == ComponentState::Operational {
        return None;
    }
    let components = overall::components(view).filter(|component| component.state == state);
    let names: Vec<_> = components.map(|component| component.name.clone()).collect();
    listed(&names, HEADLINE_MAX, phrases)
}

/// Groups as they are; components that follow each other without one share a list.
fn groups<'view>(view: &'view StatusPageView, phrases: &Phrases) -> Vec<GroupRow<'view>> {
    let mut rows: Vec<GroupRow<'view>> = Vec::new();
    for node in &view.components {
        match node {
            ComponentNode::Group(group) => rows.push(group_row(group, phrases)),
            ComponentNode::Component(component) => {
                let row = component_row(component, phrases);
                match rows.last_mut().filter(|last| last.heading.is_none()) {
                    Some(last) => last.components.push(row),
                    None => rows.push(GroupRow {
                        heading: None,
                        components: vec![row],
                    }),
                }
            }
        }
    }
    rows
}

fn group_row<'view>(group: &'view ComponentGroup, phrases: &Phrases) -> GroupRow<'view> {
    let state = overall::of_group(group);
    let components = group.components.iter();
    GroupRow {
        heading: Some((&group.name, bars::class(state), phrases.component(state))),
        components: components
            .map(|component| component_row(component, phrases))
            .collect(),
    }
}

fn component_row<'view>(component: &'view ComponentView, phrases: &Phrases) -> ComponentRow<'view> {
    ComponentRow {
        name: &component.name,
        description: &component.description,
        class: bars::class(component.state),
        state: phrases.component(component.state),
        picture: bars::picture(component, phrases),
        days: bars::text(component, phrases),
    }
}

/// What began within the last days, by day, the newest first.
fn past(view: &StatusPageView, phrases: &Phrases) -> Vec<PastDay> {
    let since = view.as_of.minus(PAST);
    let posts = view.past.iter().filter(|post| post.started_at >= since);
    let mut days: BTreeMap<String, PastDay> = BTreeMap::new();
    for post in posts.take(PAST_MAX) {
        let machine = time_text::day(post.started_at);
        let day = days.entry(machine.clone()).or_insert_with(|| PastDay {
            machine,
            human: time_text::date(post.started_at, phrases),
            posts: Vec::new(),
        });
        day.posts.push(PostCard::new(view, post, 0));
    }
    days.into_values().rev().collect()
}
