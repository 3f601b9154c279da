//! Our own status pages, as a process serves them: nothing is there until one is published.

use super::server::{ONE_PERSON, Place, free_port};
use crate::harness::http::client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_a_page_is_published_its_listener_has_nothing_and_the_main_one_is_as_ever() {
    let port = free_port();
    let settings = format!("listen_status = \"127.0.0.1:{port}\"\nstatus_export = \"export\"\n");
    let place = Place::new(&settings, ONE_PERSON);
    let export = place.path().join("export/precious");
    std::fs::create_dir_all(&export).unwrap();
    let server = place.start().await;
    let own = format!("http://127.0.0.1:{port}");
    for (base, path, status) in [
        (own.as_str(), "/", 404),
        (&own, "/status", 404),
        (&own, "/healthz", 404),
        (&own, "/metrics", 404),
        (&own, "/v1/rules", 404),
        (&server.url, "/", 200),
        (&server.url, "/healthz", 200),
        (&server.url, "/status", 404),
    ] {
        let answer = client().get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{base}{path}");
        let text = answer.text().await.unwrap();
        assert_eq!(text == "there is no page here\n", base == own, "{text}");
    }
    assert!(export.exists(), "what was there stays");
}
