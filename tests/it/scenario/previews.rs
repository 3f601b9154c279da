//! A preview says what then happens: over random rules, people, events before it and moments, the
//! pages that it shows are compared with those that leave.

use reveille::api::wire::preview::{PlannedPage, decision};
use reveille::engine::entry_body::{EntryBody, EscalationEntry};
use reveille::engine::event::Event;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::incident::{Position, Status};
use reveille::engine::input::Input;
use reveille::engine::outcome::Outcome;
use reveille::engine::page::Recipient;
use reveille::engine::preview::{Preview, preview};
use reveille::engine::time::Duration;

use super::TEAM;
use super::acts::{Post, trigger};
use super::world::World;

/// Worlds that are drawn.
const WORLDS: u64 = 100;
/// How long each is watched; policies are drawn so that they end earlier.
const WATCHED: Duration = Duration::hours(10);

/// Small numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap()]
    }
}

fn notify(draw: &mut Draw) -> String {
    let first = draw.of(&["phone", "mail", "phone, mail"]);
    let mut steps = vec![format!("{{ via: [{first}] }}")];
    let mut after = 0;
    for _ in 0..draw.below(3) {
        after += 1 + draw.below(9);
        let via = draw.of(&["phone", "mail"]);
        steps.push(format!("{{ after: {after}m, via: [{via}] }}"));
    }
    format!("[{}]", steps.join(", "))
}

fn user(draw: &mut Draw, name: &str, number: u64) -> String {
    let (high, low) = (notify(draw), notify(draw));
    format!(
        "  {name}:\n    full_name: {name}\n    time_zone: UTC\n    contacts:\n      phone: {{ sms: \
         \"+35190000000{number}\" }}\n      mail: {{ email: {name}@example.com }}\n    notify:\n      \
         high: {high}\n      low: {low}\n"
    )
}

fn targets(draw: &mut Draw) -> String {
    let all = [
        "user/ana",
        "user/bo",
        "user/cy",
        "schedule/rota",
        "schedule/gaps",
        "channel/slack/C024BE7LH",
    ];
    let mut targets: Vec<&str> = (0..1 + draw.below(3)).map(|_| draw.of(&all)).collect();
    targets.sort_unstable();
    targets.dedup();
    format!("[{}]", targets.join(", "))
}

fn policy(draw: &mut Draw, name: &str) -> String {
    let steps: String = (0..1 + draw.below(3))
        .map(|_| {
            let wait = 1 + draw.below(25);
            format!("      - {{ targets: {}, wait: {wait}m }}\n", targets(draw))
        })
        .collect();
    let fallback = draw.of(&["user/cy", "user/bo", "schedule/gaps"]);
    let low = if draw.one_in(2) {
        "    escalate_low: true\n"
    } else {
        ""
    };
    format!(
        "  {name}:\n    steps:\n{steps}    fallback: [{fallback}]\n    repeat: {}\n{low}",
        draw.below(4)
    )
}

fn route(draw: &mut Draw, (name, kind): (&str, &str)) -> String {
    let mut lines = vec![
        format!("    - name: {name}\n      matchers: ['kind=\"{kind}\"']"),
        format!("      policy: {}", draw.of(&["one", "two"])),
    ];
    lines.push(format!(
        "      group_by: {}",
        draw.of(&["[\"...\"]", "[kind]", "[]"])
    ));
    if draw.one_in(3) {
        lines.push(format!("      group_wait: {}s", 10 + draw.below(300)));
    }
    if name == "r1" || draw.one_in(3) {
        lines.push("      continue: true".to_owned());
    }
    if draw.one_in(6) {
        lines.push("      page: false".to_owned());
    }
    lines.join("\n")
}

fn rules(draw: &mut Draw) -> String {
    let users: String = [("ana", 1), ("bo", 2), ("cy", 3)]
        .into_iter()
        .map(|(name, number)| user(draw, name, number))
        .collect();
    let routes = [("r1", "a"), ("r2", "b"), ("r3", "a")].map(|named| route(draw, named));
    format!(
        "users:\n{users}schedules:\n  rota:\n    time_zone: UTC\n    layers:\n      - {{ users: [ana, \
         bo], rotate: daily, handoff: \"09:30\", start: 2026-03-01 }}\n  gaps:\n    time_zone: \
         UTC\n    gaps: expected\n    layers:\n      - {{ users: [bo], rotate: weekly, handoff: \"mon \
         00:00\", start: 2026-03-02, only: [{{ from: \"08:00\", to: \"12:00\" }}] }}\npolicies:\n{}{}integrations:\n  native: \
         {{ format: native }}\nroute:\n  policy: one\n  group_by: [\"...\"]\n  routes:\n{}\n",
        policy(draw, "one"),
        policy(draw, "two"),
        routes.join("\n")
    )
}

fn post(draw: &mut Draw) -> Post {
    let key = format!("k{}", draw.below(4));
    let severity = draw.of(&["critical", "warning"]);
    trigger(&key)
        .severity(severity)
        .label("kind", draw.of(&["a", "b", "c"]))
}

fn event(post: Post) -> Event {
    match post.input() {
        Input::Events { mut events, .. } => events.remove(0),
        other => panic!("not events: {other:?}"),
    }
}

/// What is known before the event: other alerts, what people did, silences.
fn before(draw: &mut Draw, world: &mut World) {
    for _ in 0..draw.below(4) {
        world.ask(post(draw).input());
        world.wait(&format!("00:{:02}:07", draw.below(40)));
        let incidents = world.state().incidents();
        let triggered = incidents.filter(|incident| incident.status == Status::Triggered);
        let open: Vec<u64> = triggered.map(|incident| incident.number.0).collect();
        if let Some(number) = open.first().filter(|_| draw.one_in(2)) {
            world.ack(*number, draw.of(&["ana", "bo"]));
        }
        if draw.one_in(5) {
            world.silence("kind=\"b\"", "02:00:00");
        }
    }
}

/// A page as the answer of `POST /v1/route` and a story name it alike: after how many seconds, to
/// whom, how, for which step or the fallback, and in which round.
type Line = (u64, String, Option<u32>, bool, u32);

fn line(after: u64, page: &PlannedPage, address: &str) -> Line {
    let who = page.user.as_deref().unwrap_or(address);
    let contact = page.contact.as_deref().unwrap_or("target");
    let how = format!("{who} by {contact} on {}", page.channel);
    (after, how, page.step, page.is_fallback, page.round)
}

fn shown(preview: &Preview) -> Vec<Line> {
    let shown = decision("k", preview).pages;
    let pages = shown.iter().zip(&preview.pages);
    let mut lines: Vec<Line> = pages
        .map(|(shown, page)| {
            let after = shown.after.parse::<Duration>();
            let after = after.unwrap_or(Duration::ZERO).as_seconds();
            assert_eq!(after, page.after.as_seconds(), "{}", shown.after);
            line(after, shown, &page.address)
        })
        .collect();
    lines.sort();
    lines
}

/// The pages about an incident that left from this moment on.
fn left(world: &World, number: IncidentNumber, from: Duration) -> Vec<Line> {
    let mut lines = Vec::new();
    for sent in world
        .sent
        .iter()
        .filter(|sent| sent.at >= from && sent.order.asks)
    {
        let page = world.page(sent.order.page);
        if !page.incidents.iter().any(|shown| shown.number == number) {
            continue;
        }
        let (user, contact) = match &page.recipient {
            Recipient::User { user, contact } => {
                (Some(user.to_string()), Some(contact.to_string()))
            }
            Recipient::Channel { .. } => (None, None),
        };
        let step = match page.why.position {
            Position::Step(index) => u32::try_from(index + 1).ok(),
            Position::Before | Position::Fallback | Position::Reassigned => None,
        };
        let after = Duration(sent.at.0 - from.0).as_seconds();
        let left = PlannedPage {
            user,
            contact,
            channel: sent.order.channel.to_string(),
            after: String::new(),
            step,
            is_fallback: page.why.position == Position::Fallback,
            round: page.why.round + 1,
        };
        lines.push(line(after, &left, &page.address));
    }
    lines.sort();
    lines
}

/// When the fallback was paged for the second time: a preview ends before that.
fn second_fallback(world: &World, number: IncidentNumber, from: Duration) -> Option<u64> {
    let began = world.wall().minus(Duration(world.passed.0 - from.0));
    let entries = world.durable.entries.iter();
    let fallbacks = entries.filter(|entry| {
        let is_its = entry.incident == number && entry.at >= began;
        let is_fallback = matches!(
            entry.body,
            EntryBody::Escalation(
                EscalationEntry::FallbackPaged(_) | EscalationEntry::Exhausted(_)
            )
        );
        is_its && is_fallback
    });
    let mut moments = fallbacks.map(|entry| entry.at.since(began).as_seconds());
    moments.nth(1)
}

#[test]
fn a_preview_shows_the_pages_that_then_leave() {
    let (mut compared, mut paged, mut rounds) = (0, 0, 0);
    for seed in 1..=WORLDS {
        let mut draw = Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let yaml = rules(&mut draw);
        let mut world = World::new(&yaml);
        for channel in ["twilio", "mail", "slack", "console"] {
            world.always(channel, Outcome::Delivered);
        }
        before(&mut draw, &mut world);
        let post = post(&mut draw);
        let event = event(post.clone());
        let now = world.now();
        let copy = world.state().clone();
        let before = |number: IncidentNumber| {
            copy.incident(number)
                .map(|incident| incident.escalation.clone())
        };
        let previews = preview(
            copy.clone(),
            &world.rules(),
            &"native".into(),
            std::slice::from_ref(&event),
            now,
        );
        let from = world.passed;
        let receipt = world.give(post);
        let escalations: Vec<_> = receipt
            .incidents
            .iter()
            .map(|number| {
                world
                    .state()
                    .incident(*number)
                    .map(|known| known.escalation.clone())
            })
            .collect();
        world.until(Duration(from.0 + WATCHED.0));
        world.take_seen();
        for preview in &previews[0] {
            let number = receipt
                .incidents
                .iter()
                .zip(&escalations)
                .find(|(number, _)| world.incident(number.0).group_key == preview.group_key);
            let Some((number, after)) = number else {
                assert_eq!(shown(preview), [], "seed {seed}: {preview:#?}\n{yaml}");
                continue;
            };
            if before(*number).is_some() && before(*number) == *after {
                // It goes on as it would have without the event.
                assert_eq!(shown(preview), [], "seed {seed}: {preview:#?}\n{yaml}");
                continue;
            }
            let told = shown(preview);
            let end = second_fallback(&world, *number, from);
            let mut happened = left(&world, *number, from);
            happened.retain(|(after, ..)| end.is_none_or(|end| *after < end));
            assert_eq!(
                told, happened,
                "seed {seed}, #{number}: {preview:#?}\n{yaml}"
            );
            compared += 1;
            paged += told.len();
            rounds = rounds.max(told.iter().map(|line| line.4).max().unwrap_or_default());
        }
    }
    assert!(
        compared > 60 && paged > 800 && rounds > 3,
        "{compared} {paged} {rounds}"
    );
}

#[test]
fn a_preview_of_what_joins_says_which_incident_it_joins_and_pages_nobody_anew() {
    let yaml = TEAM.replace("group_by: [\"...\"]", "group_by: []");
    let mut world = World::new(&yaml);
    world.post("db");
    world.at("00:01:00");
    world.take_seen();
    let now = world.now();
    let event = event(trigger("web"));
    let state = world.state().clone();
    let previews = preview(state, &world.rules(), &"native".into(), &[event], now);
    let preview = &previews[0][0];
    assert_eq!(preview.joins, Some(IncidentNumber(1)));
    assert!(!preview.page && preview.pages.is_empty(), "{preview:#?}");
    world.ack(1, "ana");
    world.wait("00:01:00");
    world.take_seen();
}
