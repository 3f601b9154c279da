//! The posts of a month, and the page of one post.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use askama::Template;

use super::page::{PageFrame, rendered};
use super::post_card::PostCard;
use super::view::{PostView, StatusPageView};
use super::{addresses, time_text};

#[derive(Template)]
#[template(path = "month.html", config = "src/status_page/askama.toml")]
struct MonthPage<'view> {
    frame: PageFrame<'view>,
    title: String,
    posts: Vec<PostCard>,
    /// Paths of the nearest months that have posts.
    earlier: Option<String>,
    later: Option<String>,
}

#[derive(Template)]
#[template(path = "post.html", config = "src/status_page/askama.toml")]
struct PostPage<'view> {
    frame: PageFrame<'view>,
    post: PostCard,
}

/// All posts, in no order.
fn posts(view: &StatusPageView) -> impl Iterator<Item = &PostView> {
    let open = view.open.iter().chain(&view.maintenance);
    open.chain(&view.past)
}

/// The posts that began in a month such as `2026-11`, or in the present one. `None` where there is
/// no such page: only months with posts have one, and the present one.
pub fn month_page(view: &StatusPageView, month: Option<&str>) -> Option<String> {
    let present = time_text::month(view.as_of);
    let month = month.unwrap_or(&present);
    let mut in_month: Vec<&PostView> = posts(view)
        .filter(|post| time_text::month(post.started_at) == month)
        .collect();
    let began = in_month.first().map(|post| post.started_at);
    let began = began.or_else(|| (month == present).then_some(view.as_of))?;
    in_month.sort_by_key(|post| Reverse(post.started_at));
    let months: BTreeSet<String> = posts(view)
        .map(|post| time_text::month(post.started_at))
        .chain([present.clone()])
        .collect();
    let frame = PageFrame::new(view);
    let path = |month: &String| frame.to(&addresses::month(month));
    let page = MonthPage {
        title: time_text::month_and_year(began, frame.phrases),
        posts: in_month
            .iter()
            .map(|post| PostCard::new(view, post, 0))
            .collect(),
        earlier: months
            .iter()
            .rev()
            .find(|other| other.as_str() < month)
            .map(path),
        later: months.iter().find(|other| other.as_str() > month).map(path),
        frame,
    };
    Some(rendered(&page))
}

/// The page of a post with all its updates; `None` where there is no such post.
pub fn post_page(view: &StatusPageView, id: &str) -> Option<String> {
    let post = posts(view).find(|post| &*post.id == id)?;
    let page = PostPage {
        frame: PageFrame::new(view),
        post: PostCard::new(view, post, usize::MAX),
    };
    Some(rendered(&page))
}
