//! Our own status pages: components and why they are so, and posts.

use super::table::Table;
use super::{View, clean, local, rows};
use crate::api::wire::status::{PostRef, ShownComponent, ShownPost, ShownStatusPage};
use crate::text::clean::blanked;

/// Changes of a component that are shown.
const CHANGES_SHOWN: usize = 5;

/// All pages, a line each.
pub fn pages(pages: &[ShownStatusPage], view: &View) -> String {
    let mut table = Table::new("PAGE, TITLE, NOT OPERATIONAL, OPEN POSTS, ADDRESS", 2);
    for page in pages {
        let worse = page.components.iter();
        let worse = worse.filter(|component| component.state != "operational");
        let worse: Vec<String> = worse.map(|component| blanked(&component.name)).collect();
        let open = page.posts.iter().filter(|post| !is_over(post)).count();
        table.row([
            page.name.clone(),
            blanked(&page.title),
            worse.join(", "),
            open.to_string(),
            blanked(&page.url),
        ]);
    }
    let nothing = "there are no status pages: add `status_pages:` to the rules";
    table.render(view.look, nothing)
}

fn is_over(post: &ShownPost) -> bool {
    matches!(&*post.state, "resolved" | "postmortem" | "completed")
}

/// One page with its components and posts.
pub fn page(page: &ShownStatusPage, view: &View) -> String {
    let mut components = Table::new("COMPONENT, STATE, SINCE, NEXT, WHY", 4);
    for component in &page.components {
        components.row([
            blanked(&component.name),
            component.state.clone(),
            local(&component.since, view),
            next(component),
            component
                .causes
                .first()
                .map_or_else(String::new, |why| blanked(why)),
        ]);
    }
    let mut posts = Table::new("POST, STATE, TITLE, BEGAN, LAST UPDATE", 4);
    for post in &page.posts {
        let draft = if post.is_draft { " (draft)" } else { "" };
        let last = post.updates.first();
        posts.row([
            post.number.to_string(),
            format!("{}{draft}", post.state),
            blanked(&post.title),
            local(&post.started_at, view),
            last.map_or_else(String::new, |last| blanked(&last.text)),
        ]);
    }
    [
        format!("{} · {}", blanked(&page.title), blanked(&page.url)),
        String::new(),
        components.render(view.look, "it has no components"),
        String::new(),
        posts.render(view.look, "nobody has posted anything"),
    ]
    .join("\n")
}

/// What a component becomes unless that passes.
fn next(component: &ShownComponent) -> String {
    match &component.pending {
        Some(pending) if component.waits_for_review => format!("{pending} once published"),
        Some(pending) => pending.clone(),
        None => String::new(),
    }
}

/// A component, and why it is so.
pub fn component(component: &ShownComponent, view: &View) -> String {
    let listed = |causes: &[String]| {
        let causes = causes.iter().map(|cause| blanked(cause));
        causes.collect::<Vec<String>>().join("; ")
    };
    let mut lines: Vec<String> = rows(
        14,
        [
            ("component", blanked(&component.name)),
            ("id", component.id.clone()),
            ("published as", component.state.clone()),
            ("since", local(&component.since, view)),
            ("because", listed(&component.causes)),
            ("by the rules", component.by_rule.clone()),
            ("because", listed(&component.by_rule_causes)),
            ("next", next(component)),
            ("waits since", local(&component.pending_since, view)),
            ("set by", clean(&component.set_by)),
            ("until", local(&component.set_until, view)),
        ],
    )
    .collect();
    for change in component.changes.iter().take(CHANGES_SHOWN) {
        let why = listed(&change.causes);
        let at = local(&change.at, view);
        let line = format!("{at}  {} → {}  {why}", change.before, change.after);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// What was done with a post.
pub fn posted(post: &PostRef, done: &str) -> String {
    let (number, page, url) = (post.number, blanked(&post.page), blanked(&post.url));
    format!("post {number} of {page} is {done}: {url}")
}
