//! Secrets as settings write them: `env:NAME`, `file:PATH` or the literal.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;

use super::Value;

/// What `env:NAME` and `file:PATH` refer to.
#[derive(Clone, Copy)]
pub struct SecretSource<'doc> {
    pub environment: &'doc BTreeMap<String, String>,
    /// The text of a file, or why it cannot be read.
    pub read_file: fn(&Path) -> Result<String, String>,
}

/// What a secret turned out to be.
pub enum Resolved {
    /// An empty text: not set.
    Absent,
    Referred(SecretString),
    Literal(SecretString),
}

/// What is wrong, without the secret, and the help.
pub type Unusable = (String, String);

pub fn resolve(value: &Value, source: Option<SecretSource<'_>>) -> Result<Resolved, Unusable> {
    let Value::Text(text) = value else {
        let help = "write env:NAME or file:PATH in quotes";
        return Err(("must be text".to_owned(), help.to_owned()));
    };
    let Some(source) = source else {
        return Ok(Resolved::Referred(SecretString::default()));
    };
    if let Some(name) = text.strip_prefix("env:") {
        let secret = source
            .environment
            .get(name)
            .map_or("", |secret| trimmed(secret));
        if secret.is_empty() {
            let help = format!("export {name} with its value");
            return Err((format!("{text} is not set"), help));
        }
        return checked(secret, text).map(Resolved::Referred);
    }
    if let Some(path) = text.strip_prefix("file:") {
        let unusable = |problem: String| {
            let help = "write the secret into that file".to_owned();
            (format!("{text} {problem}"), help)
        };
        let content = (source.read_file)(Path::new(path))
            .map_err(|error| unusable(format!("cannot be read ({error})")))?;
        return match trimmed(&content) {
            "" => Err(unusable("is empty".to_owned())),
            secret => checked(secret, text).map(Resolved::Referred),
        };
    }
    match trimmed(text) {
        "" => Ok(Resolved::Absent),
        secret => checked(secret, "it").map(Resolved::Literal),
    }
}

/// Programs that print or keep a secret end it with a line break, which is none of it.
pub fn trimmed(secret: &str) -> &str {
    secret.trim_end_matches(['\r', '\n'])
}

/// No provider takes a secret with control characters in it: whatever put them there, each page
/// would fail. `what` is how the message calls it.
fn checked(secret: &str, what: &str) -> Result<SecretString, Unusable> {
    if secret.contains(char::is_control) {
        let problem = format!("{what} contains a line break or another control character");
        return Err((problem, "provide only the secret".to_owned()));
    }
    Ok(secret.into())
}
