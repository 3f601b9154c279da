//! A post as HTML shows it: what it is about, where it is in its life, and its updates.

use crate::engine::event::Text;
use crate::engine::status_post::PostKind;
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::time::Timestamp;
use crate::text::truncate::truncate;

use super::phrases::{Phrases, fill};
use super::view::{PostUpdateView, PostView, StatusPageView};
use super::{addresses, bars, markdown, overall, time_text};

/// Characters of the last update that a short card shows.
const SUMMARY_CHARACTERS: usize = 240;
/// Components that a card names.
const COMPONENTS_MAX: usize = 12;

/// A moment for programs and for people.
pub struct ShownTime {
    pub machine: String,
    pub human: String,
}

impl ShownTime {
    pub fn new(at: Timestamp, phrases: &Phrases) -> Self {
        Self {
            machine: time_text::seconds(at),
            human: time_text::moment(at, phrases),
        }
    }

    /// The end of a span: without the day where it is that of the start.
    fn end(start: Timestamp, end: Timestamp, phrases: &Phrases) -> Self {
        let is_same_day = time_text::day(start) == time_text::day(end);
        let clock = is_same_day.then(|| time_text::clock(end));
        let human = clock.unwrap_or_else(|| time_text::moment(end, phrases));
        Self {
            human,
            ..Self::new(end, phrases)
        }
    }
}

/// An update.
pub struct UpdateCard {
    pub state: &'static str,
    pub at: ShownTime,
    /// Safe HTML.
    pub html: String,
}

/// A post.
pub struct PostCard {
    /// Its path.
    pub link: String,
    pub title: String,
    /// The class of its colour.
    pub class: &'static str,
    /// Its state or its kind, then what else is worth a tag.
    pub tags: Vec<&'static str>,
    pub affects: Option<String>,
    pub from: ShownTime,
    pub until: Option<ShownTime>,
    pub updates: Vec<UpdateCard>,
    /// That there are earlier updates than are shown.
    pub rest: Option<String>,
    /// The newest update in short, as plain text.
    pub summary: String,
}

impl PostCard {
    /// With at most so many updates, the newest ones.
    pub fn new(view: &StatusPageView, post: &PostView, updates_max: usize) -> Self {
        let phrases = super::phrases::phrases(&view.language);
        let updates = post.updates.iter().take(updates_max);
        let rest = post.updates.len().saturating_sub(updates_max);
        let newest = post.updates.first();
        let summary = newest.map(|update| markdown::plain(&update.text));
        let (from, until) = span(post);
        Self {
            link: format!(
                "{}{}",
                addresses::path(&view.url),
                addresses::post(&post.id)
            ),
            title: post.title.to_string(),
            class: bars::class(colour(post)),
            tags: tags(post, phrases),
            affects: affects(view, post, phrases),
            from: ShownTime::new(from, phrases),
            until: until.map(|until| ShownTime::end(from, until, phrases)),
            updates: updates.map(|update| card(update, phrases)).collect(),
            rest: (rest > 0).then(|| fill(phrases.posts.earlier_updates, &rest.to_string())),
            summary: truncate(&summary.unwrap_or_default(), SUMMARY_CHARACTERS),
        }
    }
}

fn card(update: &PostUpdateView, phrases: &Phrases) -> UpdateCard {
    UpdateCard {
        state: phrases.post(update.state),
        at: ShownTime::new(update.at, phrases),
        html: markdown::html(&update.text),
    }
}

/// The window of a maintenance; of anything else from its onset to its end.
fn span(post: &PostView) -> (Timestamp, Option<Timestamp>) {
    match (post.kind, post.scheduled_for) {
        (PostKind::Maintenance, Some(from)) => (from, post.scheduled_until),
        (PostKind::Maintenance | PostKind::Incident | PostKind::Announcement, _) => {
            (post.started_at, post.resolved_at)
        }
    }
}

fn affects(view: &StatusPageView, post: &PostView, phrases: &Phrases) -> Option<String> {
    let names = overall::names(view, &post.components);
    let named = listed(&names, COMPONENTS_MAX, phrases)?;
    Some(fill(phrases.posts.affects, &named))
}

/// Names with commas, and how many there are more; nothing where there is none.
pub fn listed(names: &[Text], most: usize, phrases: &Phrases) -> Option<String> {
    let mut parts: Vec<String> = names.iter().take(most).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(most);
    if more > 0 {
        parts.push(fill(phrases.page.affected, &more.to_string()));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn tags(post: &PostView, phrases: &Phrases) -> Vec<&'static str> {
    let mut tags = Vec::new();
    match post.kind {
        PostKind::Incident => tags.push(phrases.post(post.state)),
        PostKind::Announcement => tags.push(phrases.posts.announcement),
        PostKind::Maintenance => {
            tags.push(phrases.posts.maintenance);
            tags.push(phrases.post(post.state));
        }
    }
    if post.kind == PostKind::Incident && !post.state.is_over() {
        tags.push(phrases.impact(post.impact));
    }
    if post.is_automatic {
        tags.push(phrases.posts.automatic);
    }
    tags
}

/// A post has the colour of the state that it speaks of; what is over is well.
fn colour(post: &PostView) -> ComponentState {
    match post.kind {
        PostKind::Incident | PostKind::Maintenance if post.state.is_over() => {
            ComponentState::Operational
        }
        PostKind::Maintenance => ComponentState::Maintenance,
        PostKind::Announcement => ComponentState::Unknown,
        PostKind::Incident => match post.impact {
            Impact::Critical => ComponentState::MajorOutage,
            Impact::Major => ComponentState::PartialOutage,
            Impact::Minor | Impact::None => ComponentState::Degraded,
            Impact::Maintenance => ComponentState::Maintenance,
        },
    }
}
