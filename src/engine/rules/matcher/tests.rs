//! Tables of what is read and what is refused, and the round trip over any text.

use proptest::prelude::*;

use super::*;

/// One value under every name.
struct Value(&'static str);

impl Fields for Value {
    fn field(&self, _name: &str) -> &str {
        self.0
    }
}

fn matcher(text: &str) -> Matcher {
    Matcher::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn alertmanagers_text_form_is_read() {
    use Operator::{Equal, Match, NotEqual, NotMatch};
    let cases = [
        (r#"team="payments""#, "team", Equal, "payments"),
        ("team=payments", "team", Equal, "payments"),
        ("  team  !=  payments eu  ", "team", NotEqual, "payments eu"),
        (
            "severity =~ critical|error",
            "severity",
            Match,
            "critical|error",
        ),
        (
            r#"severity!~"warning|info""#,
            "severity",
            NotMatch,
            "warning|info",
        ),
        (r#""my.label"="x""#, "my.label", Equal, "x"),
        (r#""a \"b\"" = "x""#, "a \"b\"", Equal, "x"),
        ("my.label=x", "my.label", Equal, "x"),
        ("größe=ünï", "größe", Equal, "ünï"),
        ("🙂 = \"🙂\"", "🙂", Equal, "🙂"),
        ("team=", "team", Equal, ""),
        (r#"team="""#, "team", Equal, ""),
        (
            r#"a="say \"hi\" \\ \n\t\r""#,
            "a",
            Equal,
            "say \"hi\" \\ \n\\t\\r",
        ),
        // The fallback mode of Alertmanager from 0.27 on (matcher/compat): a plain name makes the
        // classic parser read (pkg/labels), which has three escapes; any other name the newer one
        // (matcher/parse), which has Go's. No tool of 0.25 checks the rows of the newer one.
        (r#"a="\x41\u00e9""#, "a", Equal, r"\x41\u00e9"),
        (r#""a"="\x41\u00e9\U0001F642\101\t""#, "a", Equal, "Aé🙂A\t"),
        (r#""a"="\xf0\x9f\x99\x82""#, "a", Equal, "🙂"),
        (r#"a="\xf0\x9f\x99\x82""#, "a", Equal, r"\xf0\x9f\x99\x82"),
        (r"a=x\\y\n\t\", "a", Equal, "x\\y\n\\t\\"),
        (r#"a=~"\u0041""#, "a", Match, "A"),
        // Backslashes that begin no escape belong to the regular expression.
        (r#"a=~"db\.\d+\b""#, "a", Match, r"db\.\d+\b"),
        (r"a=~db\.\d+", "a", Match, r"db\.\d+"),
        (r#"a="\x4""#, "a", Equal, r"\x4"),
        (r#"a="\ud800""#, "a", Equal, r"\ud800"),
        (r#"a="x=y,z""#, "a", Equal, "x=y,z"),
    ];
    for (text, name, operator, value) in cases {
        let matcher = matcher(text);
        let parts = (&*matcher.name, matcher.operator, &*matcher.value);
        assert_eq!(parts, (name, operator, value), "{text}");
    }
}

#[test]
fn what_is_no_matcher_is_refused_with_its_cause() {
    let cases = [
        ("", "the label name before the operator is missing"),
        ("=x", "the label name before the operator is missing"),
        (r#"""="x""#, "the label name before the operator is missing"),
        ("team", "the operator is missing; use = != =~ or !~"),
        (
            "team payments",
            "after the label name comes 'p' and not = != =~ or !~",
        ),
        (
            "team~payments",
            "after the label name comes '~' and not = != =~ or !~",
        ),
        (
            "team==payments",
            "after = comes '='; the operators are = != =~ !~, and a value that starts with it \
             needs double quotes",
        ),
        (
            "team='payments'",
            "' is not a quote here; use double quotes",
        ),
        (r#"team="payments"#, "the closing quote is missing"),
        (r#"team="payments\""#, "the closing quote is missing"),
        (
            r#"team="a", env="b""#,
            "', env=\"b\"' follows the closing quote; write each matcher as its own entry",
        ),
        (
            "team=a,env=b",
            "a value with ',' needs double quotes; write each matcher as its own entry",
        ),
        (
            r#"team=a"b"#,
            "a value with '\"' needs double quotes; write each matcher as its own entry",
        ),
        (
            r#"{team="a"}"#,
            "write one matcher alone, without the braces",
        ),
        (
            "team=~x{2}",
            "a value that ends with '}' needs double quotes; omit braces around matchers",
        ),
        (
            r#""team"=~"db\.1""#,
            "after a name in quotes, or one that is not plain, '\\.' is not an escape; write a \
             literal backslash twice",
        ),
        (
            "team=~(",
            "the regular expression does not parse: unclosed group; write a literal one as `\\(`",
        ),
        // It would be one within the brackets of the anchoring.
        (
            "team=~a)|(b",
            "the regular expression does not parse: unopened group; write a literal one as `\\)`",
        ),
        (
            r"team=~(a)\1",
            "the regular expression does not parse: `\\1`: backreferences are not supported",
        ),
        (
            r#"team=~"(\pL{30}){30}""#,
            "the regular expression needs more than 1048576 bytes; simplify it",
        ),
    ];
    for (text, cause) in cases {
        let error = Matcher::parse(text).expect_err(text);
        assert_eq!(error.cause, cause, "{text}");
    }
    let nameless = Matcher::new("", Operator::Equal, "x").expect_err("no name");
    assert_eq!(
        nameless.to_string(),
        r#"matcher ""="x" is not accepted: the label name is missing"#
    );
}

#[test]
fn a_value_matches_as_a_whole_or_not_at_all() {
    // Matcher, values that satisfy it, values that do not.
    let cases: [(&str, &[&str], &[&str]); 11] = [
        ("a=x", &["x"], &["", "xx", "X"]),
        ("a!=x", &["", "xx"], &["x"]),
        ("a=", &[""], &["x"]),
        (
            "a=~critical|error",
            &["critical", "error"],
            &["", "critical|error", "errors"],
        ),
        ("a!~critical|error", &["", "errors"], &["critical", "error"]),
        ("a=~x|", &["x", ""], &["y"]),
        (r"a=~db\.1|db\-2", &["db.1", "db-2"], &["db-1", r"db\.1"]),
        ("a=~db.*", &["db", "db-1"], &["a db", "", "db\n1"]),
        ("a=~^(critical|error)$", &["critical", "error"], &["errors"]),
        ("a=~(?i)critical", &["CRITICAL"], &["x"]),
        (r"a=~\bdb\b.*", &["db-1"], &["dbx"]),
    ];
    for (text, satisfied, unsatisfied) in cases {
        let matcher = matcher(text);
        for value in satisfied {
            assert!(matcher.matches(&Value(value)), "{text} of {value:?}");
        }
        for value in unsatisfied {
            assert!(!matcher.matches(&Value(value)), "{text} of {value:?}");
        }
    }
}

#[test]
fn the_values_of_a_list_are_known_and_those_of_a_pattern_are_not() {
    let cases: [(&str, Option<&[&str]>); 6] = [
        ("a=x", Some(&["x"])),
        ("a=~y|x|y", Some(&["x", "y"])),
        ("a=~x.", None),
        ("a!=x", None),
        ("a!~x|y", None),
        (r"a=~\d", None),
    ];
    for (text, expected) in cases {
        let matcher = matcher(text);
        let values: Option<Vec<&str>> = matcher
            .values()
            .map(|values| values.iter().map(|value| &**value).collect());
        assert_eq!(values.as_deref(), expected, "{text}");
    }
}

fn any_operator() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Match,
        Operator::NotMatch,
    ])
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        name in ".{1,8}",
        operator in any_operator(),
        value in r#"(\PC|[\\"a-z]|\p{Cc}){0,12}"#,
    ) {
        if let Ok(matcher) = Matcher::new(&name, operator, &value) {
            prop_assert_eq!(Matcher::parse(&matcher.to_string()), Ok(matcher));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"[a-z "'`\\=!~,{}xuU0-9\PC]{0,16}"#) {
        if let Ok(matcher) = Matcher::parse(&text) {
            prop_assert_eq!(Matcher::parse(&matcher.to_string()), Ok(matcher));
        }
    }

    #[test]
    fn a_list_of_words_matches_as_the_regular_expression_would(
        // To the crate `\<` is the beginning of a word.
        expression in r"([ab<]|\\?[.|&\-]){0,6}",
        value in r"[ab.|&<\-]{0,3}",
    ) {
        let anchored = regex::Regex::new(&format!("^(?:{expression})$"));
        let matcher = Matcher::new("a", Operator::Match, &expression);
        prop_assert_eq!(anchored.is_ok(), matcher.is_ok());
        if let (Ok(anchored), Ok(matcher)) = (anchored, matcher) {
            prop_assert_eq!(matcher.pattern.matches(&value), anchored.is_match(&value));
        }
    }
}
