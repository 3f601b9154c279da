//! What is kept of an incident that is over: every alert as its monitor sent it, every page; and
//! what the notices of its end say.

use reveille::engine::alert::Alert;
use reveille::engine::event::Action;
use reveille::engine::ids::IncidentNumber;
use reveille::engine::input::Verb;
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;
use reveille::store::{Options, Partition, Retention, SledStore, Span, Store};

use super::acts::{Post, on, trigger};
use super::channels::Play;
use super::events::team_with;
use super::world::World;

const GROUPED: &str = "route:\n  policy: team\n  group_by: [service]\n";
const HOME: Partition = Partition(0);
const FIRST: IncidentNumber = IncidentNumber(1);

fn host(at: usize) -> Post {
    trigger(&format!("h{at:03} is down"))
        .label("service", "pay")
        .label("host", &format!("h{at:03}"))
        .details(&format!(r#"{{"rack":{at}}}"#))
        .link(&format!("https://wiki.example/h{at:03}"))
}

/// Whether an alert has all that its monitor sent.
fn is_whole(alert: &Alert) -> bool {
    let content = &alert.content;
    let Some(host) = content.labels.get("host") else {
        return false;
    };
    let rack: usize = host[1..].parse().unwrap();
    let details = format!(r#"{{"rack":{rack}}}"#);
    let link = format!("https://wiki.example/{host}");
    content.details.as_deref() == Some(&details) && *content.links[0].href == *link
}

/// All that a list gives, read in parts as an answer of the API is.
fn all<T>(part: impl Fn(Span) -> Vec<T>, id: impl Fn(&T) -> u64) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    loop {
        let after = found.last().map_or(0, &id);
        let more = part(Span::After(after));
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn alerts(store: &SledStore) -> Vec<Alert> {
    let part = |span| store.closed_alerts(HOME, FIRST, span, 50).unwrap();
    all(part, |alert| alert.id.0)
}

fn page_ids(store: &SledStore) -> Vec<u64> {
    let part = |span| store.closed_pages(HOME, FIRST, span, 100).unwrap();
    let pages = all(part, |page| page.id.0);
    pages.iter().map(|page| page.id.0).collect()
}

fn small() -> Options {
    Options {
        cache_bytes: 8 * 1024 * 1024,
        reserve_bytes: 0,
        ..Options::default()
    }
}

#[test]
fn all_alerts_and_pages_of_an_incident_are_kept_whole_and_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(&team_with(GROUPED));
    world.durable.mirror = Some(SledStore::open(folder.path(), small()).unwrap());
    world.request((0..120).map(host).collect());
    while world.state().pages_of(FIRST).count() + world.durable.closed_pages.len() <= 520 {
        world.wait("00:02:00");
        world.ack(1, "ana");
        world.act("ana", on(1), Verb::Unacknowledge);
    }
    let made = world.state().pages_of(FIRST).map(|page| page.id.0);
    let earlier = world.durable.closed_pages.keys().map(|id| id.0);
    let mut made: Vec<u64> = made.chain(earlier).collect();
    made.sort_unstable();
    let resolves = (0..120).map(|at| host(at).action(Action::Resolve));
    world.request(resolves.collect());
    world.wait("01:00:00");
    world.take_seen();
    assert!(world.durable.closed.contains_key(&FIRST), "it is history");
    assert_eq!(
        world.state().alerts().count(),
        0,
        "its alerts are forgotten"
    );

    drop(world.durable.mirror.take());
    let store = SledStore::open(folder.path(), small()).unwrap();
    let kept = alerts(&store);
    assert_eq!(kept.len(), 120);
    for (at, alert) in kept.iter().enumerate() {
        assert!(is_whole(alert), "{alert:?}");
        assert_eq!(*alert.dedup_key, *format!("h{at:03} is down"));
        assert!(!alert.firing && alert.resolved_at.is_some());
    }
    let pages = page_ids(&store);
    assert!(pages.len() > 520, "{}", pages.len());
    assert!(made.iter().all(|id| pages.contains(id)), "{made:?}");
    assert_eq!(store.closed_pages_total(HOME, FIRST).unwrap(), pages.len());

    let retention = Retention {
        events: Duration::days(1),
        incidents: Duration::days(2),
        disk_bytes: u64::MAX,
    };
    let later = world.wall() + Duration::days(3);
    while store.purge(HOME, &retention, later).unwrap().is_more {}
    assert_eq!((alerts(&store).len(), page_ids(&store).len()), (0, 0));
}

#[test]
fn an_alert_that_left_an_incident_is_kept_with_it_as_it_was() {
    let mut world = World::new(&team_with(GROUPED));
    world.request(vec![host(1), host(2)]);
    world.expect(["ana sms twilio #1 page"]);
    world.give(host(1).label("service", "web"));
    world.give(host(2).action(Action::Resolve));
    world.at("00:10:00");
    world.take_seen();
    let kept = world.durable.closed_alerts.values();
    let kept = kept.filter(|alert| alert.incidents == [FIRST]);
    let kept: Vec<&str> = kept
        .map(|alert| alert.content.labels.get("host").map_or("", |host| host))
        .collect();
    assert_eq!(kept, ["h001", "h002"]);
    assert_eq!(world.durable.closed[&FIRST].alerts.total, 2);
    world.ack(2, "ana");
    world.wait("00:01:00");
    world.take_seen();
}

/// The alerts that the last message lists.
fn listed(world: &World) -> Vec<String> {
    let sent = world.sent.last().expect("something was sent");
    let alerts = sent.order.message.incidents[0].alerts.iter();
    alerts.map(|alert| alert.summary.to_string()).collect()
}

#[test]
fn a_notice_of_the_end_lists_the_alerts_whoever_ended_it_and_whenever_it_leaves() {
    for by_person in [false, true] {
        for waits in [false, true] {
            let mut world = World::new(&team_with(GROUPED));
            world.request(vec![host(1).severity("warning"), host(2)]);
            world.at("00:03:30");
            world.take_seen();
            if waits {
                // The notice fails once and is sent again long after the alerts were let go.
                world.next("mail", [Play::Says(Outcome::Transient)]);
            }
            if by_person {
                world.act("bo", on(1), Verb::Resolve);
            } else {
                world.request(vec![
                    host(2).action(Action::Resolve),
                    host(1).action(Action::Resolve),
                ]);
            }
            world.wait("00:30:00");
            let seen = world.take_seen();
            assert!(
                seen.iter().any(|sent| sent.label.contains("resolved")),
                "{by_person} {waits}"
            );
            assert_eq!(
                listed(&world),
                ["h002 is down", "h001 is down"],
                "{by_person} {waits}"
            );
            let closed = &world.durable.closed[&FIRST];
            assert!(closed.last_alerts.is_empty(), "history has them already");
        }
    }
}
