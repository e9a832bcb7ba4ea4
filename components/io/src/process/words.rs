//! A command line split as a shell splits it.

use std::iter::Peekable;
use std::str::Chars;

/// Splits at blanks. Single quotes keep everything, double quotes all but `\"` and `\\`, and a
/// backslash outside quotes keeps the next character.
///
/// Nothing else has a meaning: no variables, no patterns, no pipes.
pub(super) fn split(command: &str) -> Result<Vec<String>, Unclosed> {
    let mut chars = command.chars().peekable();
    let mut words = Vec::new();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(words);
        }
        words.push(word(&mut chars)?);
    }
}

/// What a command line ends inside of.
#[derive(Debug, PartialEq)]
pub(super) struct Unclosed(char);

impl std::fmt::Display for Unclosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            '\\' => f.write_str("it ends with a lone backslash"),
            quote => write!(f, "a {quote} is not closed"),
        }
    }
}

fn word(chars: &mut Peekable<Chars<'_>>) -> Result<String, Unclosed> {
    let mut word = String::new();
    while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
        match c {
            '\'' | '"' => quoted(c, chars, &mut word)?,
            '\\' => word.push(chars.next().ok_or(Unclosed(c))?),
            _ => word.push(c),
        }
    }
    Ok(word)
}

fn quoted(quote: char, chars: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), Unclosed> {
    loop {
        match chars.next().ok_or(Unclosed(quote))? {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match chars.next_if(|c| matches!(c, '"' | '\\')) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let split = |command| split(command).unwrap();
        assert_eq!(split("  grep -c\tx "), ["grep", "-c", "x"]);
        assert_eq!(
            split(r#"sh -c 'echo "$1"' x"y z"'w'"#),
            ["sh", "-c", "echo \"$1\"", "xy zw"]
        );
        assert_eq!(
            split(r#"a\ b "c\"d\\e\n" '' """#.trim_end_matches('"')),
            ["a b", "c\"d\\e\\n", ""]
        );
        assert!(split(" ").is_empty());
    }

    #[test]
    fn what_is_not_closed_is_told() {
        assert_eq!(split("a 'b"), Err(Unclosed('\'')));
        assert_eq!(split("a \"b"), Err(Unclosed('"')));
        assert_eq!(
            split("a\\").unwrap_err().to_string(),
            "it ends with a lone backslash"
        );
    }
}
