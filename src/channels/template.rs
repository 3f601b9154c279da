//! Body templates of administrators: the only place that knows minijinja.
//!
//! A name that does not exist is an error, work is bounded by fuel, nothing is loaded from
//! anywhere. Values are put in as they are: `{{ text | tojson }}` makes a JSON text with its
//! quotes, `{{ text | urlencode }}` a value of a form.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use crate::text::form;

/// Steps that one rendering may take; a body of a dozen fields takes a few hundred.
const FUEL: u64 = 20_000;

/// Bytes of a template.
const SOURCE_BYTES_MAX: usize = 64 * 1024;

const NAME: &str = "body";

/// A parsed template.
pub struct Template(Environment<'static>);

/// What a template can name.
#[derive(Clone, Copy, Debug)]
pub struct Values<'values> {
    pub to: &'values str,
    pub text: &'values str,
    pub page_id: u64,
}

/// Why a template is no template, or cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a template can name to, text and page_id")]
pub struct Error(String);

impl Template {
    /// Parses a template and renders it once, so that a misspelt name is found now.
    pub fn parse(source: &str) -> Result<Self, Error> {
        if source.len() > SOURCE_BYTES_MAX {
            let length = source.len();
            let words = format!("{length} bytes are more than {SOURCE_BYTES_MAX}");
            return Err(Error(words));
        }
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("urlencode", |text: String| form::encode(&text));
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(error)?;
        let template = Self(environment);
        template.render(&Values {
            to: "+351912345678",
            text: "a text",
            page_id: 17,
        })?;
        Ok(template)
    }

    /// The body for these values.
    pub fn render(&self, values: &Values) -> Result<String, Error> {
        let Values { to, text, page_id } = *values;
        let template = self.0.get_template(NAME).map_err(error)?;
        template
            .render(context! { to, text, page_id })
            .map_err(error)
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "map_err hands over its error"
)]
fn error(error: minijinja::Error) -> Error {
    let words = match error.line() {
        Some(line) => format!("line {line}: {error:#}"),
        None => error.to_string(),
    };
    // Only the first line: the rest repeats the source, which may hold a key.
    Error(words.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: Values = Values {
        to: "+351912345678",
        text: "say \"hi\" & <b>\n{{ to }}",
        page_id: 17,
    };

    #[test]
    fn values_are_data_and_filters_fit_them_in() {
        let cases = [
            (
                "{\"to\": {{ to | tojson }}, \"id\": \"p{{ page_id }}\"}",
                "{\"to\": \"+351912345678\", \"id\": \"p17\"}",
            ),
            (
                "to={{ to | urlencode }}&text={{ text | urlencode }}",
                "to=%2B351912345678&text=say%20%22hi%22%20%26%20%3Cb%3E%0A%7B%7B%20to%20%7D%7D",
            ),
            ("{{ text }}", NASTY.text),
            ("{% if page_id > 3 %}yes{% endif %}", "yes"),
        ];
        for (source, expected) in cases {
            let template = Template::parse(source).expect(source);
            assert_eq!(template.render(&NASTY).as_deref(), Ok(expected), "{source}");
        }
        let template = Template::parse("{{ text | tojson }}").expect("a template");
        let json = template.render(&NASTY).expect("a body");
        let read: String = serde_json::from_str(&json).expect("a JSON text");
        assert_eq!(read, NASTY.text);
    }

    #[test]
    fn what_cannot_be_rendered_is_found_when_it_is_parsed() {
        let long = "x".repeat(SOURCE_BYTES_MAX + 1);
        let cases = [
            ("{{ body }}", "line 1: undefined value"),
            ("\n{{ text | nothing }}", "line 2: unknown filter"),
            ("{{ text", "line 1: syntax error"),
            ("{% include 'x' %}", "line 1: "),
            ("{% for i in range(9999) %}{% endfor %}", "out of fuel"),
            (&long, "65537 bytes are more than 65536"),
        ];
        for (source, problem) in cases {
            let found = Template::parse(source).err().map(|error| error.to_string());
            let found = found.unwrap_or_default();
            assert!(found.contains(problem), "{source:.20}: {found:?}");
            assert!(found.contains("to, text and page_id"), "{found}");
        }
    }
}
