use std::collections::BTreeSet;

use clap::{Command, CommandFactory};
use paperflow_graph::{Diagnostic, FileId, Sources, Span};

use super::{CommandLine, explain, rendered};

/// Every verb, `new component` and its like included.
fn verbs(command: &Command, before: &str) -> Vec<(String, Command)> {
    let mut all = Vec::new();
    for verb in command.get_subcommands() {
        let name = format!("{before} {}", verb.get_name());
        all.extend(verbs(verb, &name));
        all.push((name, verb.clone()));
    }
    all
}

fn built() -> Command {
    CommandLine::command()
}

/// The words of a command as a shell reads them, up to where it does something else with it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for sign in line.chars() {
        match sign {
            '\'' => is_quoted = !is_quoted,
            '|' | '<' | '>' | '&' if !is_quoted => break,
            _ if sign.is_whitespace() && !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(sign),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_verb_shows_an_example_that_can_be_read() {
    for (name, mut verb) in verbs(&built(), "paperflow") {
        let help = verb.render_long_help().to_string();
        let (_, examples) = help
            .split_once("Example")
            .unwrap_or_else(|| panic!("{name} has no example:\n{help}"));
        assert!(
            examples.contains(&name),
            "the example of {name} does not use it: {examples}"
        );
        for line in examples
            .lines()
            .filter(|line| line.starts_with("  paperflow "))
        {
            let read = built().try_get_matches_from(words(line));
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
        }
    }
}

#[test]
fn every_verb_flag_and_argument_is_documented() {
    built().debug_assert();
    for (name, verb) in verbs(&built(), "paperflow") {
        assert!(verb.get_about().is_some(), "{name}");
        for argument in verb.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{name} {}",
                argument.get_id()
            );
        }
    }
}

#[test]
fn every_code_is_declared_once_and_explained() {
    let all = explain::explanations();
    let codes: BTreeSet<_> = all.iter().map(|(code, ..)| code).collect();
    assert_eq!(codes.len(), all.len(), "a code is declared twice");
    for (code, title, text) in &all {
        assert!(code.len() == 5 && code.starts_with('P'), "{code}");
        assert!(
            !title.is_empty() && !title.ends_with('.'),
            "{code}: {title}"
        );
        assert!(
            text.trim().len() > 80 && text.ends_with('\n'),
            "{code}: {text}"
        );
    }
}

/// Two files, as a diagnostic may be about both.
fn sources(first: &str, second: &str) -> (Sources, FileId, FileId) {
    let mut sources = Sources::new();
    let (one, two) = (
        sources.add("one.fbp", first),
        sources.add("two.fbp", second),
    );
    (sources, one, two)
}

#[test]
fn the_other_place_may_be_in_another_file() {
    let (sources, one, two) = sources("a\nbcd\n", "efg\n");
    let found = Diagnostic::error("P0000", Span::new(one, 2, 4), "wrong")
        .note("here")
        .label(Span::new(two, 1, 2), "because of this")
        .help("do it");
    let expected = "\
error[P0000]: wrong
 --> one.fbp:2:1
  |
2 | bcd
  | ^^ here
  |
 ::: two.fbp:1:2
  |
1 | efg
  |  - because of this
  |
help: do it

";
    assert_eq!(rendered(&[found], &sources), expected);
}

#[test]
fn places_that_do_not_exist_are_shown_as_far_as_they_do() {
    let (sources, one, _) = sources("größe\r\n", "");
    let spans = [(0, 999), (999, 9999), (3, 3), (4, 5), (8, 9), (5, 2)];
    for (start, end) in spans {
        let found = Diagnostic::warning("P0000", Span::new(one, start, end), "odd");
        let shown = rendered(&[found], &sources);
        assert!(
            shown.contains("| ") && shown.contains('^'),
            "{start}..{end}:\n{shown}"
        );
    }
    let nowhere = Diagnostic::error("P0000", Span::new(FileId(7), 0, 1), "lost");
    assert!(rendered(&[nowhere], &sources).starts_with("error[P0000]: lost\n"));
}

#[test]
fn a_long_line_is_cut_around_its_mark() {
    let line = format!("{}X{}", "ä".repeat(500), "数".repeat(500));
    let (sources, one, _) = sources(&line, "");
    let found = Diagnostic::error("P0000", Span::new(one, 1000, 1001), "far").note("there");
    let shown = rendered(&[found], &sources);
    let lines: Vec<_> = shown.lines().collect();
    let column = |line: &str, letter: char| line.chars().position(|other| other == letter);
    assert_eq!(column(lines[3], 'X'), column(lines[4], '^'), "{shown}");
    assert!(
        lines[3].chars().count() < 200 && lines[3].ends_with("..."),
        "{shown}"
    );
}
