//! The keys of a route, and the values that are more than one word: policy, grouping, copies,
//! matchers.

use crate::document::{Code, MapReader, MapSchema, Node, duration, list, text};
use crate::engine::event::Text;
use crate::engine::ids::PolicyName;
use crate::engine::matcher::Matcher;
use crate::engine::routing::{GroupBy, ResolveAfter};
use crate::engine::ruleset::ChannelTarget;
use crate::text::truncate::quoted;

use super::documents::Section;
use super::integrations::RESOLVE_AFTER;
use super::{Context, limits};

/// The keys of a route.
pub(super) const ROUTE: MapSchema = MapSchema {
    what: "a route",
    keys: &[
        "name",
        "matchers",
        "continue",
        "policy",
        "service",
        "urgency",
        "group_by",
        "group_wait",
        "resolve_after",
        "join_interval",
        "copy_to",
        "depends_on",
        "hold",
        "hold_for",
        "page",
        "routes",
    ],
    foreign: &[
        (
            "receiver",
            "write `policy`: it says who is paged, in which order",
        ),
        ("match", "write `matchers: ['name=\"value\"']`"),
        ("match_re", "write `matchers: ['name=~\"value\"']`"),
        (
            "group_interval",
            "write `join_interval`: how often new alerts may page the person who acknowledged",
        ),
        (
            "repeat_interval",
            "write `wait` and `repeat` in the policy; its `ack_timeout` pages again if nothing \
             happens after an acknowledgment",
        ),
        (
            "mute_time_intervals",
            "use a silence, or `only` on the layers of a schedule",
        ),
        (
            "active_time_intervals",
            "use a silence, or `only` on the layers of a schedule",
        ),
    ],
    may_be_empty: false,
};

impl Context<'_> {
    /// A policy; the inner `None` is `none`.
    pub(super) fn route_policy(&mut self, node: &Node) -> Option<Option<PolicyName>> {
        let name = text(node, "`policy`", &mut self.faults)?;
        if name == "none" {
            return Some(None);
        }
        self.check_reference(Section::Policies, name, node.at);
        Some(Some(name.into()))
    }

    pub(super) fn route_resolve_after(&mut self, node: &Node) -> Option<ResolveAfter> {
        if node.as_text() == Some("never") {
            return Some(ResolveAfter::Never);
        }
        let faults = &mut self.faults;
        duration(node, "resolve_after", RESOLVE_AFTER, faults).map(ResolveAfter::After)
    }

    pub(super) fn route_group_by(&mut self, node: &Node) -> GroupBy {
        let faults = &mut self.faults;
        let items = list(node, "`group_by`", limits::GROUP_LABELS, faults);
        let items = items.unwrap_or_default().iter();
        let mut labels: Vec<&str> = items
            .filter_map(|item| text(item, "a label of `group_by`", faults))
            .collect();
        labels.sort_unstable();
        labels.dedup();
        if labels == ["..."] {
            return GroupBy::EachAlert;
        }
        if labels.contains(&"...") {
            let message = "`...` makes each alert its own incident, so it cannot be combined with \
                labels";
            let help = "write only [\"...\"] or only labels";
            faults.error(Code::BadChoice, node.at, message, help);
        }
        GroupBy::Labels(labels.into_iter().map(Text::from).collect())
    }

    /// The inherited targets and then its own, each once.
    pub(super) fn route_copies(
        &mut self,
        table: &MapReader<'_>,
        inherited: &[ChannelTarget],
    ) -> Vec<ChannelTarget> {
        let most = limits::COPIES_PER_ROUTE;
        let items = table.list("copy_to", most, &mut self.faults);
        let mut copies = inherited.to_vec();
        for item in items.unwrap_or_default() {
            let copy = self.copy(item);
            copies.extend(copy.filter(|copy| !copies.contains(copy)));
        }
        copies
    }

    pub(super) fn route_matchers(&mut self, table: &MapReader<'_>) -> Vec<Matcher> {
        let most = limits::MATCHERS_PER_ROUTE;
        let items = table.list("matchers", most, &mut self.faults);
        let items = items.unwrap_or_default().iter();
        items.filter_map(|item| self.route_matcher(item)).collect()
    }

    fn route_matcher(&mut self, node: &Node) -> Option<Matcher> {
        let faults = &mut self.faults;
        let written = text(node, "a matcher", faults)?;
        match Matcher::parse(written) {
            Ok(matcher) => {
                self.check_matcher(&matcher, written, node.at);
                Some(matcher)
            }
            Err(error) => {
                let message = format!("{} is not a matcher: {}", quoted(written), error.cause);
                let help = "write one condition as text: 'team=\"payments\"', with =, !=, =~ or \
                            !~";
                faults.error(Code::BadMatcher, node.at, message, help);
                None
            }
        }
    }
}
