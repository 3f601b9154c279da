//! What a supervisor such as systemd hears of the real binary.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::server::{ONE_PERSON, Place};

/// A message that never comes fails the test after so long.
const PATIENCE: Duration = Duration::from_secs(30);

fn heard(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_hears_that_the_process_is_ready_that_it_lives_and_that_it_stops() {
    let place = Place::new("", ONE_PERSON);
    let path = place.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = place.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &path);
    command.env("WATCHDOG_USEC", "40000");
    let server = place.start_by(command).await;
    assert_eq!(heard(&socket), "READY=1");
    for _ in 0..3 {
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }
    assert_eq!(place.run(&["health"]).trim(), "ready");
    assert!(server.stop().await.success());
    let last = loop {
        match heard(&socket).as_str() {
            "WATCHDOG=1" => {}
            other => break other.to_owned(),
        }
    };
    assert_eq!(last, "STOPPING=1");
    let ended = place.command(&["health"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "nobody listens any more");
}
