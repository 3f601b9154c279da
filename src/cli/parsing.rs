//! From the words of the command line to a command, so that text is taken as it is given.
//!
//! Scripts hand over what a monitor says: text may begin with a dash or hold bytes that are not
//! UTF-8, and neither may lose an event. This is done here once, from the grammar itself, so that a
//! new option cannot forget it.

use std::any::TypeId;
use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::arguments::Arguments;

/// What the words mean, and what had to be changed to understand them.
#[derive(Debug)]
pub struct ParsedCommand {
    pub arguments: Arguments,
    pub warnings: Vec<String>,
}

/// The grammar in which each option takes whatever follows it as its value.
pub fn grammar() -> Command {
    let mut grammar = open_to_dashes(Arguments::command());
    grammar.build();
    grammar
}

fn open_to_dashes(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let is_open = !arg.is_positional() && takes_value(&arg);
            arg.allow_hyphen_values(is_open)
        })
        .mut_subcommands(open_to_dashes)
}

/// Reads the words, the first of which names the program.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<ParsedCommand, clap::Error> {
    let grammar = grammar();
    let words = arguments_last(&grammar, words.into_iter().collect());
    let (words, replaced) = readable(&grammar, words);
    let matches = grammar.try_get_matches_from(words)?;
    let arguments = Arguments::from_arg_matches(&matches)?;
    let warning = |word: OsString| {
        format!(
            "warning: {:?} is not UTF-8: what cannot be read is replaced by \u{fffd}",
            word.to_string_lossy()
        )
    };
    Ok(ParsedCommand {
        arguments,
        warnings: replaced.into_iter().map(warning).collect(),
    })
}

/// Replaces what is not UTF-8 where text is wanted; a path stays as it is.
fn readable(grammar: &Command, words: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let lossy = |word: &OsString| OsString::from(word.to_string_lossy().into_owned());
    let mut readable: Vec<OsString> = words.iter().map(lossy).collect();
    let mut replaced = Vec::new();
    for (place, word) in words.into_iter().enumerate() {
        if word.to_str().is_some() {
            continue;
        }
        let text = std::mem::replace(&mut readable[place], word.clone());
        if is_not_utf8(grammar, &readable) {
            readable[place] = text;
            replaced.push(word);
        }
    }
    (readable, replaced)
}

fn is_not_utf8(grammar: &Command, words: &[OsString]) -> bool {
    let matches = grammar.clone().try_get_matches_from(words);
    matches.is_err_and(|error| error.kind() == clap::error::ErrorKind::InvalidUtf8)
}

/// Puts the arguments of a command that takes text behind `--`, where a dash means nothing.
/// A word is an option only if the command has that option.
fn arguments_last(grammar: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let mut command = grammar;
    let mut options = Vec::new();
    let mut arguments = Vec::new();
    let mut rest = words.iter();
    options.extend(rest.next().cloned());
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            arguments.extend(rest.cloned());
            break;
        }
        if let Some(option) = option_of(command, &text) {
            options.push(word.clone());
            if takes_value(option) && !has_value(&text) {
                options.extend(rest.next().cloned());
            }
        } else if let Some(inner) = subcommand_of(command, word, &arguments) {
            options.push(word.clone());
            command = inner;
        } else {
            arguments.push(word.clone());
        }
    }
    if arguments.is_empty() || !command.get_positionals().any(is_text) {
        return words;
    }
    options.push("--".into());
    options.extend(arguments);
    options
}

/// The option that a word names: `--name`, `--name=value` or `-n`.
fn option_of<'grammar>(command: &'grammar Command, word: &str) -> Option<&'grammar Arg> {
    if let Some(name) = word.strip_prefix("--") {
        let name = name.split_once('=').map_or(name, |(name, _)| name);
        return command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let (letter, None) = (letters.next()?, letters.next()) else {
        return None;
    };
    command
        .get_arguments()
        .find(|arg| arg.get_short() == Some(letter))
}

fn has_value(word: &str) -> bool {
    word.starts_with("--") && word.contains('=')
}

fn subcommand_of<'grammar>(
    command: &'grammar Command,
    word: &OsStr,
    arguments: &[OsString],
) -> Option<&'grammar Command> {
    arguments.is_empty().then_some(())?;
    command.find_subcommand(word)
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Whether an argument holds text, and neither a number, a path nor one of a few words.
pub fn is_text(arg: &Arg) -> bool {
    let holds = arg.get_value_parser().type_id();
    let is_label = holds == TypeId::of::<(String, String)>();
    takes_value(arg)
        && (holds == TypeId::of::<String>() || is_label)
        && arg.get_possible_values().is_empty()
}
