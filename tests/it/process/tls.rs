//! Listeners that speak TLS, as clients, the command line and the settings meet them.

use reqwest::{Certificate, Client, Version};
use serde_json::json;

use super::server::{ONE_PERSON, Place, Server, free_port};

/// A folder whose listeners present one certificate, and the certificate in PEM.
fn place() -> (Place, u16, String) {
    let public = free_port();
    let files = "certificate = \"chain.pem\"\nkey = \"key.pem\"\n";
    let settings = format!(
        "listen_public = \"127.0.0.1:{public}\"\n[listen_tls]\n{files}[listen_public_tls]\n{files}"
    );
    let place = Place::new(&settings, ONE_PERSON);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.pem();
    std::fs::write(place.path().join("chain.pem"), &certificate).unwrap();
    let key = made.signing_key.serialize_pem();
    std::fs::write(place.path().join("key.pem"), key).unwrap();
    (place, public, certificate)
}

fn client(certificate: &str) -> Client {
    crate::harness::install_tls();
    let trusted = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([trusted]);
    builder.build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_listeners_and_the_command_line_speak_tls() {
    let (place, public, certificate) = place();
    let server = place.start_tls().await;
    let url = format!("https://127.0.0.1:{}", place.port);
    let client = client(&certificate);
    let event = json!({"summary": "disk full", "severity": "critical"});
    let request = client.post(format!("{url}/v1/events")).json(&event);
    let answer = request.bearer_auth(&server.key).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.version(), Version::HTTP_2);
    let health = format!("https://127.0.0.1:{public}/healthz");
    assert_eq!(client.get(health).send().await.unwrap().status(), 200);
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for listener in ["listen", "listen_public"] {
        let name = "reveille_tls_certificate_expires_timestamp_seconds";
        let line = format!("{name}{{listener=\"{listener}\"}} ");
        assert!(metrics.contains(&line), "{metrics}");
    }
    let warning = "starts with http://, but a listener uses TLS";
    let look = async |_: &Server| place.log().contains(warning).then_some(());
    server.until(warning, look).await;

    for (arguments, variable) in [
        (&["incidents", "--ca", "chain.pem"][..], None),
        (&["incidents"], Some("chain.pem")),
    ] {
        let mut command = place.command(arguments);
        command.env("REVEILLE_URL", &url);
        command.envs(variable.map(|file| ("REVEILLE_CA", file)));
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains("disk full"), "{shown}");
    }
    for (arguments, expected) in [
        (&["incidents"][..], "certificate"),
        (
            &["incidents", "--ca", "none.pem"],
            "none.pem has no usable certificates",
        ),
        (
            &["incidents", "--ca", "key.pem"],
            "key.pem has no usable certificates",
        ),
    ] {
        let mut command = place.command(arguments);
        let output = command.env("REVEILLE_URL", &url).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_start_with_a_bad_pair_says_which_file_and_leaves_nothing_behind() {
    let (place, _, _) = place();
    std::fs::write(place.path().join("key.pem"), "").unwrap();
    let output = place.command(&["serve"]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("certificate of listen"), "{errors}");
    assert!(
        errors.contains("key.pem contains no private key"),
        "{errors}"
    );
    assert!(!place.path().join("data").exists());
}
