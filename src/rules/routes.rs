//! The routing tree: inheritance filled in and names made.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Code, Entry, MapReader, Node, Position, Value, list};
use crate::engine::event::Text;
use crate::engine::matcher::Matcher;
use crate::engine::routing::{GroupBy, Node as Branch, Route, Tree};
use crate::engine::time::Duration;
use crate::engine::urgency::UrgencyRule;
use crate::text::truncate::{self, quoted};

use super::Context;
use super::limits;
use super::names::Numbers;
use super::route_values::ROUTE;

/// The name of the root route unless it has one.
pub const ROOT: &str = "root";

const JOIN_INTERVAL_DEFAULT: Duration = Duration::minutes(5);
const GROUP_WAIT_MAX: Duration = Duration::hours(1);
const JOIN_INTERVAL_MAX: Duration = Duration::days(1);

/// What is needed while the tree is built.
struct Builder<'context, 'doc> {
    context: &'context mut Context<'doc>,
    /// Where each name was given.
    names: BTreeMap<String, Position>,
    numbers: Numbers,
    count: usize,
}

impl Context<'_> {
    pub(super) fn tree(&mut self) -> Tree {
        let roots: Vec<&Entry> = self.documents.roots().collect();
        let Some((first, others)) = roots.split_first() else {
            self.report_no_root();
            return Tree::default();
        };
        for other in others {
            let path = self.documents.path_of(first.at);
            let message = format!(
                "a root `route` is already defined in {path} on line {}",
                first.at.line
            );
            let help = "move the children of this one under a top-level `routes:`";
            self.faults
                .error(Code::SecondRoute, other.at, message, help);
        }
        let added: Vec<&Node> = self.documents.added_routes().collect();
        let mut builder = Builder {
            context: self,
            names: BTreeMap::new(),
            numbers: Numbers::default(),
            count: 0,
        };
        let root = builder.root(&first.node, &added);
        builder.check_root_pages(&root, first.at);
        Tree::new(root)
    }

    fn report_no_root(&mut self) {
        if self.documents.is_incomplete() {
            return;
        }
        let message = "no root `route` in any file";
        let help = "add `route: { policy: NAME }` to one file; alerts that match no other route \
            go to its policy";
        self.faults
            .error(Code::NoRoute, Position::default(), message, help);
    }
}

impl Builder<'_, '_> {
    fn root(&mut self, node: &Node, added: &[&Node]) -> Branch {
        let table = MapReader::open(node, &ROUTE, &mut self.context.faults);
        for key in ["matchers", "continue"] {
            if let Some(at) = table.key_at(key) {
                let message =
                    format!("the root route matches every alert, so it cannot have `{key}`");
                let help = "remove it, or move it to a child route";
                self.context.faults.error(Code::BadRoot, at, message, help);
            }
        }
        table.require("policy", "default", &mut self.context.faults);
        let name = table.text("name", &mut self.context.faults).unwrap_or(ROOT);
        self.take_name(name, table.key_at("name").unwrap_or(node.at));
        let base = Route {
            name: name.into(),
            policy: None,
            service: None,
            urgency: UrgencyRule::BySeverity,
            group_by: GroupBy::EachAlert,
            group_wait: Duration::ZERO,
            resolve_after: None,
            join_interval: JOIN_INTERVAL_DEFAULT,
            copy_to: Vec::new(),
            dependencies: None,
            page: true,
        };
        let route = Arc::new(self.route(&table, &base));
        let mut nodes: Vec<&Node> = self.children_of(&table);
        for list_node in added.iter().filter(|node| node.value != Value::Null) {
            let items = list(
                list_node,
                "`routes`",
                limits::ROUTES,
                &mut self.context.faults,
            );
            nodes.extend(items.unwrap_or_default());
        }
        Branch {
            children: self.branches(&nodes, &route, "", 1),
            route,
            matchers: Vec::new(),
            go_on: false,
        }
    }

    fn children_of<'doc>(&mut self, table: &MapReader<'doc>) -> Vec<&'doc Node> {
        let items = table.list("routes", limits::ROUTES, &mut self.context.faults);
        items.unwrap_or_default().iter().collect()
    }

    /// The children of one route; `path` is that of their parent, for names.
    fn branches(
        &mut self,
        nodes: &[&Node],
        parent: &Route,
        path: &str,
        depth: usize,
    ) -> Vec<Branch> {
        let Some(first) = nodes.first() else {
            return Vec::new();
        };
        if depth > limits::ROUTE_DEPTH {
            let message = format!(
                "routes are nested deeper than {} levels",
                limits::ROUTE_DEPTH
            );
            let help = "combine the matchers of several levels in one route";
            self.context
                .faults
                .error(Code::TooMany, first.at, message, help);
            return Vec::new();
        }
        let before = self.count;
        self.count += nodes.len();
        if before <= limits::ROUTES && self.count > limits::ROUTES {
            let message = format!("there are more than {} routes", limits::ROUTES);
            let help = "match several values at once: 'team=~\"a|b\"'";
            self.context
                .faults
                .error(Code::TooMany, first.at, message, help);
        }
        let branches: Vec<Branch> = nodes
            .iter()
            .map(|node| self.branch(node, parent, path, depth))
            .collect();
        self.context.check_reach(nodes, &branches);
        branches
    }

    fn branch(&mut self, node: &Node, parent: &Route, path: &str, depth: usize) -> Branch {
        let table = MapReader::open(node, &ROUTE, &mut self.context.faults);
        let matchers = self.context.route_matchers(&table);
        let path = format!("{path}/{}", step_of(&matchers))
            .trim_start_matches('/')
            .to_owned();
        let base = Route {
            name: self.name(&table, &path).as_str().into(),
            ..parent.clone()
        };
        let route = Arc::new(self.route(&table, &base));
        let go_on = table.truth("continue", &mut self.context.faults);
        let children = self.children_of(&table);
        Branch {
            children: self.branches(&children, &route, &path, depth + 1),
            route,
            matchers,
            go_on: go_on.unwrap_or(false),
        }
    }

    fn name(&mut self, table: &MapReader<'_>, path: &str) -> String {
        let faults = &mut self.context.faults;
        if let Some(name) = table.text("name", faults) {
            let at = table.get("name").map_or(table.at, |node| node.at);
            let is_short = name.chars().count() <= limits::NAME_CHARACTERS;
            if !is_short || name.contains(char::is_control) {
                let message = format!("{} cannot be the name of a route", quoted(name));
                let help = "use at most 128 characters on one line";
                faults.error(Code::BadName, at, message, help);
            }
            self.take_name(name, at);
            return name.to_owned();
        }
        let name = self.free_name(path);
        let message = format!("this route has no name, so it is named {}", quoted(&name));
        let help = "add `name: …`: incidents belong to the name, and this generated one changes \
            with the matchers";
        self.context
            .faults
            .warning(Code::UnnamedRoute, table.at, message, help);
        self.names.insert(name.clone(), table.at);
        name
    }

    /// The path, cut to size, with a number if it is taken.
    fn free_name(&mut self, path: &str) -> String {
        let path = truncate::distinct(path, limits::ROUTE_NAME_CHARACTERS);
        let names = &self.names;
        self.numbers.free(&path, |name| names.contains_key(name))
    }

    fn take_name(&mut self, name: &str, at: Position) {
        let Some(first) = self.names.get(name).copied() else {
            self.names.insert(name.to_owned(), at);
            return;
        };
        let path = self.context.documents.path_of(first);
        let message = format!(
            "the route {} is already defined in {path} on line {}",
            quoted(name),
            first.line
        );
        let help = "give each route a unique name";
        self.context
            .faults
            .error(Code::DuplicateName, at, message, help);
    }

    /// The route with its own keys over what it inherits.
    fn route(&mut self, table: &MapReader<'_>, base: &Route) -> Route {
        let policy = table
            .get("policy")
            .and_then(|node| self.context.route_policy(node));
        let group_by = table
            .get("group_by")
            .map(|node| self.context.route_group_by(node));
        let copies = self.context.route_copies(table, &base.copy_to);
        let inherited = base.dependencies.as_ref();
        let dependencies = self.context.route_dependencies(table, inherited);
        let resolve_after = table.get("resolve_after");
        let resolve_after = resolve_after.and_then(|node| self.context.route_resolve_after(node));
        let faults = &mut self.context.faults;
        let urgency = table.choice("urgency", &["by_severity", "high", "low"], faults);
        let group_wait = table.duration("group_wait", Duration::ZERO..=GROUP_WAIT_MAX, faults);
        let join = table.duration("join_interval", Duration::ZERO..=JOIN_INTERVAL_MAX, faults);
        let service = table.text("service", faults).map(Text::from);
        let page = table.truth("page", faults);
        let rules = [UrgencyRule::BySeverity, UrgencyRule::High, UrgencyRule::Low];
        Route {
            name: base.name.clone(),
            policy: policy.unwrap_or_else(|| base.policy.clone()),
            service: service.or_else(|| base.service.clone()),
            urgency: urgency.map_or(base.urgency, |index| rules[index]),
            group_by: group_by.unwrap_or_else(|| base.group_by.clone()),
            group_wait: group_wait.unwrap_or(base.group_wait),
            resolve_after: resolve_after.or(base.resolve_after),
            join_interval: join.unwrap_or(base.join_interval),
            copy_to: copies,
            dependencies,
            page: page.unwrap_or(base.page),
        }
    }

    fn check_root_pages(&mut self, root: &Branch, at: Position) {
        if root.route.policy.is_some() && root.route.page || self.context.faults.has_error() {
            return;
        }
        let message = "the root route pages nobody, so alerts that match no other route page \
            nobody";
        let help = "give it a policy, without `page: false`";
        self.context
            .faults
            .warning(Code::RootPagesNobody, at, message, help);
    }
}

/// A route's part of the path: its matchers.
fn step_of(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    format!("{{{}}}", texts.join(","))
}
