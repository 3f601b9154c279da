//! Rule documents by chance: people with contacts, schedules in zones with difficult clocks,
//! policies, routes; and the edits that an admin makes to them. One person, `ops`, is never
//! deleted and is everybody's fallback, so that there always is somebody to be paged.

use std::fmt::Write;

use super::random::Random;

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Lisbon",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Auckland",
];
pub const TEAMS: &[&str] = &["pay", "web", "data"];

/// The source of a rule set.
#[derive(Clone, Debug)]
pub struct Team {
    pub users: Vec<User>,
    pub schedules: Vec<Schedule>,
    policies: Vec<Policy>,
    routes: Vec<Route>,
    root_group_by: &'static str,
    next_user: u64,
}

#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    zone: &'static str,
    contacts: Vec<(&'static str, String)>,
    notify: u64,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: String,
    zone: &'static str,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    users: Vec<String>,
    rotate: &'static str,
    only: &'static str,
}

#[derive(Clone, Debug)]
struct Policy {
    name: String,
    steps: Vec<(Vec<String>, &'static str)>,
    repeat: u64,
    ack_timeout: Option<&'static str>,
    escalate_low: bool,
}

#[derive(Clone, Debug)]
struct Route {
    name: String,
    matchers: String,
    policy: String,
    extra: &'static str,
}

impl Team {
    /// A team of so many people beside `ops`.
    pub fn draw(random: &mut Random, users: u64) -> Self {
        let mut team = Self {
            users: Vec::new(),
            schedules: Vec::new(),
            policies: Vec::new(),
            routes: Vec::new(),
            root_group_by: random.word(&["[\"...\"]", "[team]", "[]"]),
            next_user: 1,
        };
        team.users.push(User {
            name: "ops".to_owned(),
            zone: "UTC",
            contacts: vec![
                ("email", "ops@example.com".to_owned()),
                ("sms", "+351900000000".to_owned()),
            ],
            notify: 0,
        });
        for _ in 0..users {
            team.add_user(random);
        }
        for number in 0..random.between(1, 3) {
            let schedule = team.schedule(random, number);
            team.schedules.push(schedule);
        }
        for number in 0..random.between(1, 3) {
            let policy = team.policy(random, number);
            team.policies.push(policy);
        }
        for number in 0..random.between(0, 4) {
            let route = team.route(random, number);
            team.routes.push(route);
        }
        team
    }

    fn add_user(&mut self, random: &mut Random) {
        let number = self.next_user;
        self.next_user += 1;
        let phone = format!("+3519000000{number:02}");
        let kinds = [
            ("sms", phone),
            ("email", format!("u{number}@example.com")),
            ("slack", format!("U0000000{number:02}")),
            ("webhook", format!("https://u{number}.example.com/")),
        ];
        let first = random.below(4) as usize;
        let contacts = (0..random.between(1, 3) as usize).map(|at| kinds[(first + at) % 4].clone());
        self.users.push(User {
            name: format!("u{number}"),
            zone: random.word(ZONES),
            contacts: contacts.collect(),
            notify: random.below(4),
        });
    }

    fn some_users(&self, random: &mut Random) -> Vec<String> {
        let count = random.between(1, 3);
        let names = (0..count).map(|_| random.pick(&self.users).name.clone());
        let mut names: Vec<String> = names.collect();
        names.dedup();
        names
    }

    fn schedule(&self, random: &mut Random, number: u64) -> Schedule {
        let mut layers = Vec::new();
        for _ in 0..random.between(1, 2) {
            let mut users = self.some_users(random);
            let rotate = random.word(&[
                "",
                "rotate: daily\n        handoff: \"02:30\"\n        start: 2026-01-01",
                "rotate: { every: 2h }\n        handoff: \"00:00\"\n        start: 2026-01-01",
                "rotate: weekly\n        handoff: \"sun 02:00\"\n        start: 2026-01-01",
            ]);
            if rotate.is_empty() {
                users.truncate(1);
            }
            let only = random.word(&[
                "",
                "",
                "only: [{ from: \"22:00\", to: \"06:00\" }]",
                "only: [{ days: [mon, tue, wed], from: \"01:30\", to: \"03:30\" }]",
            ]);
            layers.push(Layer {
                users,
                rotate,
                only,
            });
        }
        Schedule {
            name: format!("s{number}"),
            zone: random.word(ZONES),
            layers,
        }
    }

    fn target(&self, random: &mut Random) -> String {
        match random.below(10) {
            0..=4 => format!("user/{}", random.pick(&self.users).name),
            5..=7 => format!("schedule/{}", random.pick(&self.schedules).name),
            8 => "\"channel/slack/#room\"".to_owned(),
            _ => "channel/hooks/https://hook.example.com/".to_owned(),
        }
    }

    fn policy(&self, random: &mut Random, number: u64) -> Policy {
        let steps = (0..random.between(1, 3)).map(|_| {
            let targets = (0..random.between(1, 2)).map(|_| self.target(random));
            let mut targets: Vec<String> = targets.collect();
            targets.dedup();
            (targets, random.word(&["1m", "5m", "15m"]))
        });
        Policy {
            name: format!("p{number}"),
            steps: steps.collect(),
            repeat: random.below(3),
            ack_timeout: *random.pick(&[None, None, Some("30m"), Some("2h")]),
            escalate_low: random.chance(300),
        }
    }

    fn route(&self, random: &mut Random, number: u64) -> Route {
        let team = random.word(TEAMS);
        Route {
            name: format!("r{number}"),
            matchers: format!("'team=\"{team}\"', 'n!=\"{number}\"'"),
            policy: if random.chance(80) {
                "none".to_owned()
            } else {
                random.pick(&self.policies).name.clone()
            },
            extra: random.word(&[
                "",
                "continue: true",
                "group_by: [team]\n    group_wait: 30s",
                "group_by: [team]\n    copy_to: [\"channel/slack/#copies\"]",
                "group_by: [alertname]\n    join_interval: 1m",
                "resolve_after: 40m",
                "urgency: low",
                "urgency: high",
                "page: false",
            ]),
        }
    }

    /// The documents.
    pub fn yaml(&self) -> String {
        let mut text = String::from("users:\n");
        for user in &self.users {
            user.write(&mut text);
        }
        text.push_str("schedules:\n");
        for schedule in &self.schedules {
            schedule.write(&mut text);
        }
        text.push_str("policies:\n");
        for policy in &self.policies {
            policy.write(&mut text);
        }
        text.push_str(
            "integrations:\n  native: { format: native }\n  prom: { format: alertmanager_api }\n",
        );
        let root = &self.policies[0].name;
        let group_by = self.root_group_by;
        let _ = writeln!(text, "route:\n  policy: {root}\n  group_by: {group_by}");
        if !self.routes.is_empty() {
            text.push_str("routes:\n");
        }
        for route in &self.routes {
            let (name, matchers, policy) = (&route.name, &route.matchers, &route.policy);
            let _ = writeln!(text, "  - name: {name}\n    matchers: [{matchers}]");
            let _ = writeln!(text, "    policy: {policy}\n    {}", route.extra);
        }
        text
    }

    /// One edit of an admin.
    pub fn edit(&mut self, random: &mut Random) {
        match random.below(8) {
            0 | 1 => self.delete_user(random),
            2 => self.add_user(random),
            3 => self.delete_schedule(random),
            4 => {
                let at = random.below(self.policies.len() as u64);
                self.policies[at as usize] = self.policy(random, at);
            }
            5 => {
                self.routes.pop();
            }
            6 => {
                let at = random.below(self.schedules.len() as u64);
                self.schedules[at as usize] = self.schedule(random, at);
            }
            _ => {
                let number = 10 + random.below(90);
                let route = self.route(random, number);
                self.routes.push(route);
                self.routes.dedup_by(|one, other| one.name == other.name);
            }
        }
    }

    fn delete_user(&mut self, random: &mut Random) {
        if self.users.len() < 2 {
            return;
        }
        let at = random.between(1, self.users.len() as u64 - 1) as usize;
        let gone = self.users.remove(at).name;
        for layer in self.schedules.iter_mut().flat_map(|it| &mut it.layers) {
            layer.users.retain(|user| *user != gone);
            if layer.users.is_empty() {
                layer.users.push("ops".to_owned());
            }
        }
        let gone = format!("user/{gone}");
        for (targets, _) in self.policies.iter_mut().flat_map(|it| &mut it.steps) {
            replace(targets, &gone);
        }
    }

    fn delete_schedule(&mut self, random: &mut Random) {
        if self.schedules.len() < 2 {
            return;
        }
        let at = random.below(self.schedules.len() as u64) as usize;
        let gone = format!("schedule/{}", self.schedules.remove(at).name);
        for (targets, _) in self.policies.iter_mut().flat_map(|it| &mut it.steps) {
            replace(targets, &gone);
        }
    }
}

fn replace(targets: &mut Vec<String>, gone: &str) {
    targets.retain(|target| target != gone);
    if targets.is_empty() {
        targets.push("user/ops".to_owned());
    }
}

impl User {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  {}:\n    time_zone: {}", self.name, self.zone);
        text.push_str("    contacts:\n");
        for (kind, address) in &self.contacts {
            let _ = writeln!(text, "      {kind}: {{ {kind}: \"{address}\" }}");
        }
        let first = self.contacts[0].0;
        let last = self.contacts[self.contacts.len() - 1].0;
        let _ = match self.notify {
            1 => writeln!(text, "    notify:\n      high: [{{ via: [{first}] }}]"),
            2 if first != last => writeln!(
                text,
                "    notify:\n      high: [{{ via: [{first}] }}, {{ after: 2m, via: [{last}] }}]"
            ),
            3 => writeln!(
                text,
                "    notify:\n      high: [{{ via: [{first}] }}, {{ after: 4m, via: [{first}] }}]"
            ),
            _ => Ok(()),
        };
    }
}

impl Schedule {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  {}:\n    time_zone: {}", self.name, self.zone);
        text.push_str("    gaps: expected\n    layers:\n");
        for layer in &self.layers {
            let _ = writeln!(text, "      - users: [{}]", layer.users.join(", "));
            for line in [layer.rotate, layer.only] {
                if !line.is_empty() {
                    let _ = writeln!(text, "        {line}");
                }
            }
        }
    }
}

impl Policy {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  {}:\n    steps:", self.name);
        for (targets, wait) in &self.steps {
            let targets = targets.join(", ");
            let _ = writeln!(text, "      - {{ targets: [{targets}], wait: {wait} }}");
        }
        let _ = writeln!(
            text,
            "    repeat: {}\n    fallback: [user/ops]",
            self.repeat
        );
        if let Some(timeout) = self.ack_timeout {
            let _ = writeln!(text, "    ack_timeout: {timeout}");
        }
        let _ = writeln!(text, "    escalate_low: {}", self.escalate_low);
    }
}
