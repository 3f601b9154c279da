//! Settings as their readers meet them: defaults, layers, and faults word by word.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::civil::Weekday;
use secrecy::ExposeSecret;

use super::settings::SECTIONS;
use super::*;
use crate::channels::configured::Configured;
use crate::channels::{sms_gateway, twilio, webhook};
use crate::engine::ruleset::WeeklyTime;

/// What a channel of this kind is configured with.
fn settings_of<T: 'static>(channel: &Configured) -> &T {
    let provider: &dyn Any = &*channel.provider;
    provider.downcast_ref().expect("settings of this kind")
}

fn sources(text: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("reveille.toml");
    std::fs::write(&file, text).expect("the file is written");
    let sources = Sources {
        files: vec![directory.path().join("absent.toml"), file],
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Sources::default()
    };
    (directory, sources)
}

fn read(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let (_directory, sources) = sources(text, environment);
    load(&sources).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The faults, with the temporary directory cut away.
fn faults(text: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let (directory, sources) = sources(text, environment);
    let place = format!("{}/", directory.path().display());
    match load(&sources) {
        Ok(_) => Vec::new(),
        Err(Faults(faults)) => faults
            .iter()
            .map(|fault| fault.one_line().replace(&place, ""))
            .collect(),
    }
}

/// The commented file of all settings with their defaults.
const DEFAULT_FILE: &str = include_str!("../default.toml");
fn warnings(text: &str) -> Vec<String> {
    let loaded = read(text, &[]);
    loaded.warnings.iter().map(Diagnostic::one_line).collect()
}

/// The example lines of the default file, as they are once the # is removed.
fn examples() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    DEFAULT_FILE
        .lines()
        .map(uncomment)
        .collect::<Vec<_>>()
        .join("\n")
}

const SECRETS: [(&str, &str); 7] = [
    ("TWILIO_SHARED_KEY", "shared-word"),
    ("SMTP_PASSWORD", "smtp-word"),
    ("SLACK_TOKEN", "xoxb-word"),
    ("SLACK_SIGNING_SECRET", "signing-word"),
    ("TWILIO_AUTH_TOKEN", "twilio-word"),
    ("SMS_AUTHORIZATION", "Bearer sms-word"),
    ("SMS_INBOUND_KEY", "inbound-word"),
];

fn all_secrets() -> Vec<(&'static str, &'static str)> {
    let mut secrets = SECRETS.to_vec();
    secrets.push(("WEBHOOK_SECRET", "whsec_word"));
    secrets
}

#[test]
fn the_default_file_says_what_the_defaults_are() {
    let loaded = read(DEFAULT_FILE, &[]);
    let expected = format!("{:?}", Settings::default());
    assert_eq!(format!("{:?}", loaded.settings), expected);
    assert_eq!(loaded.warnings, []);
    assert_eq!(format!("{:?}", read("", &[]).settings), expected);
}

#[test]
fn every_key_that_is_read_stands_in_the_default_file() {
    let of_sections = SECTIONS.iter().flat_map(|(_, schema)| schema.keys);
    // Channels stand there as examples.
    let of_root = SCHEMA.keys.iter().filter(|key| **key != "channel");
    for key in of_root.chain(of_sections) {
        let stands = DEFAULT_FILE
            .lines()
            .any(|line| line.starts_with(&format!("{key} =")) || line == format!("[{key}]"));
        assert!(stands, "{key} is not in the default file");
    }
}

#[test]
fn the_examples_of_the_default_file_work_and_show_every_key_of_every_kind() {
    let loaded = read(&examples(), &all_secrets());
    let kinds: Vec<&str> = loaded
        .settings
        .channels
        .iter()
        .map(|channel| channel.kind)
        .collect();
    let expected = [
        "smtp",
        "slack",
        "twilio",
        "twilio",
        "sms_webhook",
        "webhook",
        "console",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(loaded.warnings, []);
    let printed = format!("{:?}", loaded.settings);
    for (name, secret) in all_secrets() {
        assert!(!printed.contains(secret), "{name} is printed");
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let text = "listen = \"127.0.0.1:1\"\ndata = \"file\"\nrules = \"file\"\n";
    let environment = [
        ("REVEILLE_LISTEN", "127.0.0.1:2"),
        ("REVEILLE_DATA", "variable"),
    ];
    let (_directory, mut sources) = sources(text, &environment);
    sources.flags = BTreeMap::from([("listen", "127.0.0.1:3".to_owned())]);
    let settings = load(&sources).expect("all is good").settings;
    assert_eq!(settings.listen, SocketAddr::from(([127, 0, 0, 1], 3)));
    assert_eq!(settings.data, PathBuf::from("variable"));
    assert_eq!(settings.rules, PathBuf::from("file"));
}

#[test]
fn every_key_can_be_set_from_the_environment() {
    let environment = [
        ("REVEILLE_LISTEN_PUBLIC", "0.0.0.0:8081"),
        ("REVEILLE_PUBLIC_URL", "https://r.example.com/"),
        ("REVEILLE_BODY_LIMIT", "1 MiB"),
        ("REVEILLE_PAGE_LIMIT", "9"),
        ("REVEILLE_KEEP_INCIDENTS", "2w"),
        ("REVEILLE_WATCH_POLICY", "ops"),
        ("REVEILLE_WATCH_HEARTBEAT_URL", "https://beat.example.com/x"),
        ("REVEILLE_OUTBOUND_ALLOW_NETWORKS", "127.0.0.0/8, fd00::/8"),
    ];
    let settings = read("", &environment).settings;
    assert_eq!(
        settings.listen_public,
        Some(SocketAddr::from(([0, 0, 0, 0], 8081)))
    );
    assert_eq!(settings.public_url, "https://r.example.com");
    assert_eq!(settings.body_limit_bytes, 1 << 20);
    assert_eq!(settings.page_limit, 9);
    assert_eq!(settings.keep_incidents, Duration::from_secs(14 * 86_400));
    assert_eq!(settings.watch.policy.as_deref(), Some("ops"));
    assert_eq!(
        settings.watch.heartbeat_url.as_deref(),
        Some("https://beat.example.com/x")
    );
    let networks: Vec<String> = settings
        .outbound
        .allow_networks
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["127.0.0.0/8", "fd00::/8"]);
}

#[test]
fn all_faults_are_named_at_once_with_key_value_and_cure() {
    let text = r#"listn = "127.0.0.1:80"
body_limit = "512 KB"
failover_after = "0s"
page_limit = "many"
banana = 1

[watch]
polcy = "ops"

[[channel]]
name = "Mail"
kind = "smtp"
host = "smtp.example.com"
username = "ana"

[[channel]]
name = "hooks"
kind = "pigeon"
"#;
    let environment = [("REVEILLE_PUBLIC_URL", "example.com")];
    let expected = [
        "environment REVEILLE_PUBLIC_URL: public_url = \"example.com\": write an address such as \
         https://reveille.example.com",
        "reveille.toml:2: body_limit = \"512 KB\": write a size such as 512 KiB, 4 MiB or 10 GiB",
        "reveille.toml:3: failover_after = \"0s\": must be more than zero: write a time such as \
         10s or 30d",
        "reveille.toml:4: page_limit = \"many\": must be a whole number from 1 to 1000000",
        "reveille.toml:8: [watch] has no key `polcy`: did you mean `policy`?",
        "reveille.toml:11: channel Mail: name = \"Mail\": use only the letters a-z, digits and -",
        "reveille.toml:10: channel Mail: from is missing: write from = \"reveille@example.com\"",
        "reveille.toml:10: channel Mail: username and password must be set together: set both or \
         none",
        "reveille.toml:16: channel hooks: kind = \"pigeon\": must be smtp, slack, twilio, \
         sms_webhook, webhook, made_up or console",
    ];
    let found = faults(text, &environment);
    for line in expected {
        assert!(
            found.iter().any(|fault| fault == line),
            "missing: {line}\nfound: {found:#?}"
        );
    }
    assert!(found.iter().any(|fault| {
        fault.starts_with(
            "reveille.toml:5: a settings file has no key `banana`: the keys are `listen`, ",
        )
    }));
    assert!(found.contains(
        &"reveille.toml:1: a settings file has no key `listn`: did you mean `listen`?".to_owned()
    ));
    assert_eq!(found.len(), 11, "{found:#?}");
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    let found = faults("listen = \"127.0.0.1:1\"\ndata = \n", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("reveille.toml:2: invalid TOML: "),
        "{found:?}"
    );
    let twice = faults("data = \"a\"\ndata = \"b\"\n", &[]);
    assert!(
        twice[0].starts_with("reveille.toml:2: invalid TOML: duplicate key"),
        "{twice:?}"
    );
}

#[test]
fn names_of_channels_are_unique_and_the_console_is_the_console() {
    let twice = "[[channel]]\nname = \"a\"\nkind = \"webhook\"\nsecret = \"env:S\"\n".repeat(2);
    let cases = [
        (
            twice.as_str(),
            "reveille.toml:5: channel a: the name a is used twice: give each channel a unique \
             name",
        ),
        (
            "[[channel]]\nname = \"screen\"\nkind = \"console\"\n",
            "reveille.toml:1: channel screen: the name console is reserved for the channel of \
             kind console: rename this one",
        ),
        (
            "channel = 3\n",
            "reveille.toml:1: channel = 3: write [[channel]] for each",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(faults(text, &[("S", "whsec_x")]), [expected]);
    }
}

#[test]
fn a_sender_of_twilio_is_a_number_a_short_code_or_letters() {
    use twilio::Sender::{Letters, Number};
    let of = |from: &str| {
        format!(
            "[[channel]]\nname = \"sms\"\nkind = \"twilio\"\naccount_sid = \"AC1\"\n\
             auth_token = \"env:S\"\nfrom = {from:?}\n"
        )
    };
    let good = [
        ("+15005550006", Number("+15005550006".to_owned())),
        ("+1234567", Number("+1234567".to_owned())),
        ("70500", Number("70500".to_owned())),
        ("REVEILLE", Letters("REVEILLE".to_owned())),
        ("On Call 2", Letters("On Call 2".to_owned())),
    ];
    for (from, expected) in good {
        let channels = read(&of(from), &[("S", "hush")]).settings.channels;
        let twilio: &twilio::Settings = settings_of(&channels[0]);
        assert_eq!(twilio.sender, expected, "{from}");
    }
    let bad = [
        "0015005550006",
        "+1 500 555 0006",
        "+123456",
        "+1234567890123456",
        "12",
        "123456789",
        "whatsapp:+15005550006",
        "REVEILLE-PAGER",
        "Réveillé",
        "+ - &",
    ];
    for from in bad {
        let expected = format!(
            "reveille.toml:6: channel sms: from = {from:?}: must be a number as +15005550006, a \
             short code of 3 to 8 digits, or a name of at most 11 letters and digits"
        );
        let found = faults(&of(from), &[("S", "hush")]);
        assert!(found.contains(&expected), "{found:#?}");
        assert_eq!(found.len(), 1, "{found:#?}");
    }
}

#[test]
fn the_console_stands_last_wherever_it_is_written() {
    let text = "[[channel]]\nname = \"console\"\nkind = \"console\"\nconcurrency = 2\n\
                [[channel]]\nname = \"hooks\"\nkind = \"webhook\"\nsecret = \"env:S\"\n";
    let channels = read(text, &[("S", "whsec_x")]).settings.channels;
    let shown: Vec<(&str, usize)> = channels
        .iter()
        .map(|channel| (channel.name.as_str(), channel.concurrency))
        .collect();
    assert_eq!(shown, [("hooks", 32), ("console", 2)]);
}

#[test]
fn a_secret_comes_from_a_variable_a_file_or_a_literal_with_a_warning() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("secret");
    std::fs::write(&path, "from-file\n").expect("the file is written");
    let file = format!("file:{}", path.display());
    let cases = [
        ("env:S", Some("from-variable"), 0),
        (file.as_str(), Some("from-file"), 0),
        ("literal", Some("literal"), 1),
        ("env:UNSET", None, 0),
        ("file:/nonexistent/secret", None, 0),
        ("", None, 0),
    ];
    for (written, expected, warnings) in cases {
        let text = format!("[[channel]]\nname = \"h\"\nkind = \"webhook\"\nsecret = {written:?}\n");
        let (_directory, sources) = sources(&text, &[("S", "from-variable")]);
        let loaded = load(&sources).ok();
        let secret = loaded
            .as_ref()
            .map(|loaded| settings_of::<webhook::Settings>(&loaded.settings.channels[0]))
            .map(|webhook| webhook.secret.expose_secret().to_owned());
        assert_eq!(secret.as_deref(), expected, "{written}");
        assert_eq!(
            loaded.map_or(0, |loaded| loaded.warnings.len()),
            warnings,
            "{written}"
        );
    }
}

#[test]
fn the_line_break_that_ends_a_secret_is_none_of_it_wherever_it_comes_from() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("secret");
    std::fs::write(&path, "word\r\n").expect("the file is written");
    let file = format!("file:{}", path.display());
    let text = |secret: &str| {
        format!(
            "[[channel]]\nname = \"g\"\nkind = \"sms_webhook\"\nurl = \"https://example.com\"\n\
             inbound_key = {secret:?}\nheaders = {{ X-Key = {secret:?} }}\n"
        )
    };
    for written in ["env:S", file.as_str(), "word\r\n"] {
        let loaded = read(&text(written), &[("S", "word\n\r\n")]);
        let gateway: &sms_gateway::Settings = settings_of(&loaded.settings.channels[0]);
        let key = gateway
            .inbound_key
            .as_ref()
            .map(ExposeSecret::expose_secret);
        assert_eq!(key, Some("word"), "{written}");
        assert_eq!(gateway.headers[0].1.expose_secret(), "word", "{written}");
    }
    for broken in ["two\nwords", "\u{0}", "tab\tbed", "escape\u{1b}"] {
        let found = faults(&text("env:S"), &[("S", broken)]);
        assert_eq!(found.len(), 2, "{broken:?}: {found:?}");
        for fault in found {
            assert!(
                fault.contains("env:S contains a line break or another control"),
                "{fault}"
            );
            assert!(
                !fault.contains("words") && !fault.contains("bed"),
                "{fault}"
            );
        }
    }
}

#[test]
fn a_least_balance_is_any_sum_and_nothing_else() {
    let text = "[[channel]]\nname = \"sms\"\nkind = \"twilio\"\naccount_sid = \"AC1\"\n\
                auth_token = \"env:T\"\nfrom = \"+15005550006\"\n";
    for (written, expected) in [("20", 20.0), ("12.5", 12.5), ("\"7.25\"", 7.25), ("0", 0.0)] {
        let loaded = read(
            &format!("{text}balance_min = {written}\n"),
            &[("T", "word")],
        );
        let twilio: &twilio::Settings = settings_of(&loaded.settings.channels[0]);
        assert_eq!(twilio.balance_min, Some(expected), "{written}");
    }
    for written in ["-1", "nan", "inf", "1e10", "true", "\"20 EUR\"", "[20]"] {
        let text = format!("{text}balance_min = {written}\n");
        let faults = faults(&text, &[("T", "word")]).join("\n");
        assert!(faults.contains("balance_min"), "{written}: {faults}");
    }
}

#[test]
fn test_pages_have_a_time_of_the_week_or_none() {
    let time = |weekday, minute| Some(WeeklyTime { weekday, minute });
    for (written, expected) in [
        ("", None),
        ("mon 00:00", time(Weekday::Monday, 0)),
        ("Tue 10:30", time(Weekday::Tuesday, 630)),
        ("sun 23:59", time(Weekday::Sunday, 1_439)),
    ] {
        let loaded = read(&format!("test_page = \"{written}\"\n"), &[]);
        assert_eq!(loaded.settings.test_page, expected, "{written}");
    }
    for written in [
        "tue",
        "10:30",
        "tue 24:00",
        "tue 10:60",
        "tue 9:00",
        "someday 10:30",
        "tue +1:00",
    ] {
        let faults = faults(&format!("test_page = \"{written}\"\n"), &[]).join("\n");
        assert!(faults.contains("test_page"), "{written}: {faults}");
    }
}

#[test]
fn a_gateway_is_asked_for_its_balance_by_three_settings_or_none() {
    let text = "[[channel]]\nname = \"sms\"\nkind = \"sms_webhook\"\n\
                url = \"https://sms.example.com/send\"\n";
    let lines = [
        "balance_url = \"https://sms.example.com/balance\"",
        "balance = \"/account/balance\"",
        "balance_min = 20",
    ];
    let loaded = read(&format!("{text}{}\n", lines.join("\n")), &[]);
    let gateway: &sms_gateway::Settings = settings_of(&loaded.settings.channels[0]);
    let balance = gateway.balance.as_ref().expect("all three");
    assert_eq!(balance.url, "https://sms.example.com/balance");
    assert_eq!(balance.amount, "/account/balance");
    assert!((balance.min - 20.0).abs() < f64::EPSILON);
    for missing in 0..3 {
        let mut lines = lines.to_vec();
        lines.remove(missing);
        let faults = faults(&format!("{text}{}\n", lines.join("\n")), &[]).join("\n");
        assert!(
            faults.contains("must be set together"),
            "{missing}: {faults}"
        );
    }
    let bad = lines.join("\n").replace("= 20", "= -1");
    let faults = faults(&format!("{text}{bad}\n"), &[]);
    assert_eq!(faults.len(), 1, "all are given: {faults:?}");
    assert!(faults[0].contains("balance_min = -1"), "{faults:?}");
}

#[test]
fn values_with_which_an_sms_cannot_be_sent_are_refused() {
    let gateway = "kind = \"sms_webhook\"\nurl = \"https://sms.example.com/send\"\n";
    let twilio = "kind = \"twilio\"\nauth_token = \"env:TOKEN\"\n";
    for (kind, line, help) in [
        (
            gateway,
            "method = \"DELETE\"",
            "must be GET, POST, PUT or PATCH",
        ),
        (gateway, "success = []", "must be a list of HTTP statuses"),
        (gateway, "message_id = \"id\"", "must be a JSON pointer"),
        (twilio, "account_sid = \" \"", "must not be empty"),
        (twilio, "from = \"\"", "must not be empty"),
        (twilio, "messaging_service_sid = \" \"", "must not be empty"),
    ] {
        let text = format!("[[channel]]\nname = \"sms\"\n{kind}{line}\n");
        let faults = faults(&text, &[("TOKEN", "t")]).join("\n");
        assert!(faults.contains(help), "{line}: {faults}");
    }
}

#[test]
fn an_address_is_kept_as_it_is_and_of_a_bad_one_no_key_is_shown() {
    let text = "[[channel]]\nname = \"sms\"\nkind = \"sms_webhook\"\n\
                url = \"https://sms.example.com/send/?key=QUJD/\"\n";
    let loaded = read(text, &[]);
    let gateway: &sms_gateway::Settings = settings_of(&loaded.settings.channels[0]);
    assert_eq!(gateway.url, "https://sms.example.com/send/?key=QUJD/");
    let bad = text.replace("https://", "htps://ana:hush1@");
    let told = faults(&bad.replace("QUJD/", "hush2"), &[]).join("\n");
    assert!(!told.contains("hush"), "{told}");
    assert!(
        told.contains("url = \"htps://…@sms.example.com/…\": "),
        "{told}"
    );
    for bad in [
        "sms.example.com/send?key=hush5",
        "https:/sms.example.com/hush5",
    ] {
        let text =
            format!("[[channel]]\nname = \"sms\"\nkind = \"sms_webhook\"\nurl = \"{bad}\"\n");
        let told = faults(&text, &[]).join("\n");
        assert!(told.contains("url = ") && !told.contains("hush5"), "{told}");
    }
    for text in [
        "[watch]\nheartbeat_url = \"htps://hush.example/hush3\"\n",
        "[outbound]\nproxy = \"socks5://ana:hush4@proxy:3128\"\n",
    ] {
        let told = faults(text, &[]).join("\n");
        assert!(!told.contains("hush3") && !told.contains("hush4"), "{told}");
    }
}

#[test]
fn each_literal_of_a_list_of_secrets_is_warned_of() {
    let text = "[[channel]]\nname = \"sms\"\nkind = \"twilio\"\naccount_sid = \"AC1\"\n\
                auth_token = \"env:T\"\nfrom = \"+15005550006\"\n\
                shared_keys = [\"env:T\", \"one\", \"two\"]\n";
    let loaded = read(text, &[("T", "word")]);
    let warnings: Vec<String> = loaded.warnings.iter().map(Diagnostic::one_line).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for warning in warnings {
        assert!(
            warning.contains("shared_keys is written in plain text"),
            "{warning}"
        );
    }
}

#[test]
fn a_fault_in_a_secret_names_the_variable_and_not_the_value() {
    let text = "[[channel]]\nname = \"h\"\nkind = \"webhook\"\nsecret = \"env:UNSET\"\n";
    assert_eq!(
        faults(text, &[]),
        ["reveille.toml:4: channel h: secret: env:UNSET is not set: export UNSET with its value"]
    );
}

#[test]
fn what_should_be_a_table_of_secrets_is_not_shown() {
    let text = "outbound = \"https://ana:hush@proxy:3128\"\n[[channel]]\nname = \"g\"\n\
                kind = \"sms_webhook\"\nurl = \"https://sms.example.com\"\nheaders = \"hush\"\n";
    assert_eq!(
        faults(text, &[]),
        [
            "reveille.toml:1: outbound = \"https://…@proxy:3128\": must be a table",
            "reveille.toml:6: channel g: headers is not a table: write a table of names with \
             their values",
        ]
    );
}

#[test]
fn a_long_public_url_and_a_mistyped_variable_are_warned_about() {
    let long = format!("https://{}.example.com", "x".repeat(50));
    let environment = [
        ("REVEILLE_PUBLIC_URL", long.as_str()),
        ("REVEILLE_LISTN", "127.0.0.1:1"),
        ("REVEILLE_URL", "http://127.0.0.1:1"),
        ("REVEILLE_SERVICE_HOST", "10.0.0.1"),
        ("REVEILLE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
    ];
    let warnings: Vec<String> = read("", &environment)
        .warnings
        .iter()
        .map(Diagnostic::one_line)
        .collect();
    assert_eq!(
        warnings,
        [
            "public_url has 70 characters; with more than 60 the link leaves too little room for \
             text in an SMS: choose a shorter host name",
            "environment REVEILLE_LISTN is not a setting: did you mean REVEILLE_LISTEN?",
        ]
    );
}

#[test]
fn links_follow_the_listener_unless_a_public_url_is_given() {
    let cases = [
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::1]:9000", "http://[::1]:9000"),
    ];
    for (listen, expected) in cases {
        let settings = read("", &[("REVEILLE_LISTEN", listen)]).settings;
        assert_eq!(settings.public_url, expected);
    }
}

#[test]
fn a_variable_sets_no_channel() {
    let channel = "[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nsecret = \"env:S\"\n";
    let secret = format!("whsec_{}", "A".repeat(44));
    let environment = [("REVEILLE_CHANNEL", "x"), ("S", secret.as_str())];
    let loaded = read(channel, &environment);
    let names: Vec<&str> = loaded
        .settings
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    assert_eq!(names, ["hook", "console"]);
    let warnings: Vec<String> = loaded.warnings.iter().map(Diagnostic::one_line).collect();
    assert!(
        warnings[0].contains("REVEILLE_CHANNEL is not a setting"),
        "{warnings:?}"
    );
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let sources = Sources {
        config: Some(PathBuf::from("/nonexistent/reveille.toml")),
        ..Sources::default()
    };
    let faults = load(&sources)
        .expect_err("there is no such file")
        .to_string();
    assert!(faults.contains("/nonexistent/reveille.toml"), "{faults}");
    assert!(load(&Sources::default()).is_ok());
}

#[test]
fn the_data_directory_is_found_even_when_secrets_are_not() {
    let text = "data = \"elsewhere\"\n[[channel]]\nname = \"h\"\nkind = \"webhook\"\n";
    let (_directory, sources) = sources(text, &[]);
    assert_eq!(data_directory(&sources), Ok(PathBuf::from("elsewhere")));
}

#[test]
fn secrets_can_be_left_alone_by_who_needs_none() {
    let (_directory, mut sources) = sources(&examples(), &[]);
    assert!(load(&sources).is_err());
    sources.secrets = Secrets::Leave;
    let settings = load(&sources).expect("nothing else is wrong").settings;
    assert_eq!(settings.channels.len(), 7);
}

#[test]
fn the_earlier_names_of_the_page_limit_are_refused_with_the_new_ones() {
    let environment = [("REVEILLE_CEILING_WINDOW", "5m")];
    let text = "ceiling_pages = 4\n";
    let found = faults(text, &environment);
    assert_eq!(
        found,
        [
            "reveille.toml:1: `ceiling_pages` is not a key of a settings file: use page_limit, \
             which counts incidents, not messages",
            "environment REVEILLE_CEILING_WINDOW: `ceiling_window` is not a key of a settings \
             file: use page_window",
        ]
    );
}

#[test]
fn a_budget_that_holds_no_whole_body_is_a_fault() {
    let alertmanager = "body_budget = \"16 MiB\"\nbody_limit_alertmanager = \"17 MiB\"\n";
    let others = "body_budget = \"16 MiB\"\nbody_limit = \"17 MiB\"\n";
    for text in [alertmanager, others] {
        let expected = "reveille.toml:1: body_budget is smaller than one body: make it larger \
            than body_limit and body_limit_alertmanager";
        assert_eq!(faults(text, &[]), [expected]);
    }
    let whole = "body_budget = \"17 MiB\"\nbody_limit = \"17 MiB\"\n";
    assert_eq!(read(whole, &[]).settings.body_budget_bytes, 17 << 20);
}

#[test]
fn a_warning_that_comes_with_the_refusal_is_warned_of() {
    let words = "disk_warn is not above disk_min, so events are refused without a warning: make \
        disk_warn larger than disk_min";
    for text in ["disk_min = \"1 GiB\"\n", "disk_warn = \"256 MiB\"\n"] {
        assert_eq!(warnings(text), [words], "{text}");
    }
    for text in [
        "disk_min = \"1023 MiB\"\n",
        "disk_min = \"0 B\"\ndisk_warn = \"0 B\"\n",
    ] {
        assert_eq!(read(text, &[]).warnings, [], "{text}");
    }
}

#[test]
fn the_files_of_a_listener_belong_together_and_lead_to_https() {
    let both = "[listen_tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n";
    let loaded = read(both, &[]);
    assert_eq!(loaded.settings.public_url, "https://127.0.0.1:8080");
    assert_eq!(loaded.warnings, []);
    let plain = format!("public_url = \"http://router.example\"\n{both}");
    let words = "public_url = \"http://router.example\" starts with http://, but a listener uses \
        TLS: write https://";
    assert_eq!(warnings(&plain), [words]);
    let environment = [
        ("REVEILLE_LISTEN_PUBLIC", "127.0.0.1:8443"),
        ("REVEILLE_LISTEN_PUBLIC_TLS_CERTIFICATE", "chain.pem"),
        ("REVEILLE_LISTEN_PUBLIC_TLS_KEY", "key.pem"),
        ("REVEILLE_PUBLIC_URL", "https://router.example"),
    ];
    let files = read("", &environment).settings.listen_public_tls;
    let files = files.expect("both files");
    assert_eq!(files.certificate, PathBuf::from("chain.pem"));
    assert_eq!(files.key, PathBuf::from("key.pem"));
    let public = both.replace("listen_tls", "listen_public_tls");
    let status = both.replace("listen_tls", "listen_status_tls");
    for (text, expected) in [
        (
            "[listen_tls]\nkey = \"key.pem\"\n",
            "listen_tls.certificate and key must be set together: set both files, or neither",
        ),
        (
            public.as_str(),
            "listen_public_tls has files, and listen_public is not set: set \
             listen_public as well",
        ),
        (
            status.as_str(),
            "listen_status_tls has files, and listen_status is not set: set \
             listen_status as well",
        ),
    ] {
        assert_eq!(faults(text, &[]), [format!("reveille.toml:1: {expected}")]);
    }
}
