//! How a whole page or a group is: the worst of what it holds, with the words for it.
//!
//! *Unknown* is neither well nor broken: it counts for more than what is well, since nobody may
//! call the whole well then, and for less than any trouble that is known.

use crate::engine::event::Text;
use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::{ComponentState, Impact};

use super::view::{ComponentGroup, ComponentNode, ComponentView, PostView, StatusPageView};

/// What Statuspage's readers decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatuspageStatus {
    pub indicator: &'static str,
    /// Matched by words, so these are Statuspage's own.
    pub description: &'static str,
}

/// All components, those of groups too, in the order of the page.
pub fn components(view: &StatusPageView) -> impl Iterator<Item = &ComponentView> {
    view.components.iter().flat_map(|node| match node {
        ComponentNode::Group(group) => group.components.as_slice(),
        ComponentNode::Component(component) => std::slice::from_ref(component),
    })
}

/// The component of this id.
pub fn component<'view>(view: &'view StatusPageView, id: &str) -> Option<&'view ComponentView> {
    components(view).find(|component| &*component.id == id)
}

/// The names of components of a page by their ids; those that have left it are passed over.
pub fn names(view: &StatusPageView, ids: &[Text]) -> Vec<Text> {
    let named = ids.iter().filter_map(|id| component(view, id));
    named.map(|component| component.name.clone()).collect()
}

/// The state of a page: the worst of its components and of what its open posts say.
pub fn of_page(view: &StatusPageView) -> ComponentState {
    let states = components(view).map(|component| component.state);
    worst(states.chain(posts(view)))
}

/// The state of a group: the worst of its members.
pub fn of_group(group: &ComponentGroup) -> ComponentState {
    worst(group.components.iter().map(|component| component.state))
}

/// The same for readers who know no *unknown*: what is unknown counts as it was last.
pub fn last_known_of_group(group: &ComponentGroup) -> ComponentState {
    worst(group.components.iter().map(last_known))
}

/// How a component is, for readers who know no *unknown*. One that was never known counts as well
/// there, as it does where nothing is said of it.
pub fn last_known(component: &ComponentView) -> ComponentState {
    match component.state {
        ComponentState::Unknown => match component.last_known {
            ComponentState::Unknown => ComponentState::Operational,
            known => known,
        },
        known => known,
    }
}

/// Statuspage's indicator and description of a page.
pub fn statuspage_status(view: &StatusPageView) -> StatuspageStatus {
    let of_components = worst(components(view).map(last_known));
    let state = worst([of_components].into_iter().chain(posts(view)));
    let (indicator, description) = match state {
        ComponentState::Operational | ComponentState::Unknown => {
            ("none", "All Systems Operational")
        }
        // A post that says so, while all components are well.
        ComponentState::Degraded if !of_components.is_down() => ("minor", "Minor Service Outage"),
        ComponentState::Degraded => ("minor", "Partially Degraded Service"),
        ComponentState::PartialOutage => ("major", "Partial System Outage"),
        ComponentState::MajorOutage => ("critical", "Major Service Outage"),
        ComponentState::Maintenance => ("maintenance", "Service Under Maintenance"),
    };
    StatuspageStatus {
        indicator,
        description,
    }
}

/// What open posts say of the whole: an incident by its impact, a maintenance while it goes on.
fn posts(view: &StatusPageView) -> impl Iterator<Item = ComponentState> {
    let open = view.open.iter().map(|post| match post.kind {
        PostKind::Incident => by_impact(post.impact),
        PostKind::Maintenance => of_maintenance(post),
        PostKind::Announcement => ComponentState::Operational,
    });
    open.chain(view.maintenance.iter().map(of_maintenance))
}

fn by_impact(impact: Impact) -> ComponentState {
    match impact {
        Impact::None => ComponentState::Operational,
        Impact::Maintenance => ComponentState::Maintenance,
        Impact::Minor => ComponentState::Degraded,
        Impact::Major => ComponentState::PartialOutage,
        Impact::Critical => ComponentState::MajorOutage,
    }
}

fn of_maintenance(post: &PostView) -> ComponentState {
    match is_in_progress(post) {
        true => ComponentState::Maintenance,
        false => ComponentState::Operational,
    }
}

/// Whether a maintenance is going on.
pub fn is_in_progress(post: &PostView) -> bool {
    matches!(post.state, PostState::InProgress | PostState::Verifying)
}

fn worst(states: impl Iterator<Item = ComponentState>) -> ComponentState {
    states
        .max_by_key(|state| state.rank())
        .unwrap_or(ComponentState::Operational)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_page::samples;

    fn with(states: &[ComponentState]) -> StatusPageView {
        let mut view = samples::quiet();
        let nodes = states.iter().enumerate().map(|(index, state)| {
            ComponentNode::Component(ComponentView {
                state: *state,
                ..samples::component(index)
            })
        });
        view.components = nodes.collect();
        view
    }

    #[test]
    fn the_worst_counts_and_unknown_is_neither() {
        use ComponentState as State;
        let cases = [
            (vec![], State::Operational),
            (
                vec![State::Operational, State::Maintenance],
                State::Maintenance,
            ),
            (vec![State::Operational, State::Unknown], State::Unknown),
            (vec![State::Maintenance, State::Unknown], State::Unknown),
            (vec![State::Unknown, State::Degraded], State::Degraded),
            (
                vec![State::Degraded, State::PartialOutage],
                State::PartialOutage,
            ),
            (
                vec![State::MajorOutage, State::PartialOutage],
                State::MajorOutage,
            ),
        ];
        for (states, expected) in cases {
            assert_eq!(of_page(&with(&states)), expected, "{states:?}");
        }
    }

    #[test]
    fn an_open_post_counts_where_all_components_are_well() {
        let cases = [
            (
                PostKind::Incident,
                Impact::None,
                ComponentState::Operational,
                "none",
            ),
            (
                PostKind::Incident,
                Impact::Minor,
                ComponentState::Degraded,
                "minor",
            ),
            (
                PostKind::Incident,
                Impact::Critical,
                ComponentState::MajorOutage,
                "critical",
            ),
            (
                PostKind::Announcement,
                Impact::Critical,
                ComponentState::Operational,
                "none",
            ),
        ];
        for (kind, impact, state, indicator) in cases {
            let mut view = samples::quiet();
            view.open = vec![PostView {
                kind,
                impact,
                ..samples::incident("aaaaaaaaaaaa", samples::NOW)
            }];
            assert_eq!(of_page(&view), state, "{kind} {impact}");
            assert_eq!(statuspage_status(&view).indicator, indicator);
        }
    }

    #[test]
    fn maintenance_counts_while_it_goes_on() {
        let mut view = samples::quiet();
        let planned = samples::maintenance("mmmmmmmmmmmm", samples::NOW);
        view.maintenance = vec![planned.clone()];
        assert_eq!(statuspage_status(&view).indicator, "none");
        view.maintenance[0].state = PostState::InProgress;
        let status = statuspage_status(&view);
        assert_eq!(status.description, "Service Under Maintenance");
    }

    #[test]
    fn statuspage_knows_no_unknown_and_gets_what_was_last_known() {
        let mut view = with(&[ComponentState::Unknown]);
        assert_eq!(statuspage_status(&view).indicator, "none");
        let ComponentNode::Component(component) = &mut view.components[0] else {
            panic!("it is a component");
        };
        component.last_known = ComponentState::MajorOutage;
        assert_eq!(statuspage_status(&view).description, "Major Service Outage");
        assert_eq!(of_page(&view), ComponentState::Unknown);
    }
}
