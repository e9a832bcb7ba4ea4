use paperflow_core::{Fault, Packet, Parameter};
use regex::Regex;
use regex_syntax::Parser;

/// A regular expression, as `regex` reads it: no look-around and no back references, so that the time
/// it takes is bounded by the length of the text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub(crate) Regex);

impl Parameter for Pattern {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        let pattern = Regex::new(&text);
        pattern.map(Self).map_err(|error| {
            let reason = place(&text).unwrap_or_else(|| error.to_string());
            Fault::new(format!(
                "expected a regular expression, got {packet:?}: {reason}"
            ))
        })
    }
}

/// What is wrong, and at which character; none when the pattern is only too large.
fn place(pattern: &str) -> Option<String> {
    let (reason, start) = match Parser::new().parse(pattern).err()? {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start),
        _ => return None,
    };
    let before = pattern.get(..start.offset)?;
    Some(format!(
        "{reason} at character {}",
        before.chars().count() + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(pattern: &str) -> String {
        let fault = Pattern::read(&Packet::text(pattern)).unwrap_err();
        fault.message().to_owned()
    }

    #[test]
    fn a_bad_pattern_is_named_with_the_place() {
        assert_eq!(
            fault("ä(b"),
            "expected a regular expression, got \"ä(b\": unclosed group at character 2"
        );
        assert!(fault("a\n[z-a]").ends_with("at character 4"));
        assert!(fault(r"\p{Nothing}").ends_with("at character 1"));
    }

    #[test]
    fn a_pattern_that_is_too_large_says_so() {
        assert!(fault("((a{1000}){1000}){1000}").contains("size limit"));
    }

    #[test]
    fn unicode_counts_where_a_pattern_says_so() {
        let fits = |pattern: &str, text: &str| {
            let pattern = Pattern::read(&Packet::text(pattern)).unwrap();
            pattern.0.is_match(text)
        };
        assert!(fits(r"^\w+$", "grün"));
        assert!(fits(r"(?i)^ÄRGER$", "ärger"));
        assert!(fits(r"^\p{Lu}", "Öl"));
    }
}
