//! Names of topics: those of connectors, with the characters that Kafka refuses spelt out.
//!
//! Letters, digits, `.`, `_` and `-` stay as they are; any other byte is `--` and two hexadecimal digits, and
//! so is a `-` before something that begins with one. Two names never give the same topic.

use std::fmt::Write;

use paperflow_core::connector::StoreFault;

use crate::fault::unsupported;

/// The most that Kafka takes.
const LONGEST: usize = 249;

/// The topic of a connector.
///
/// # Errors
/// Its name is too long.
pub(super) fn topic(prefix: &str, name: &str) -> Result<String, StoreFault> {
    let topic = spelt(&format!("{prefix}{name}"));
    if topic.len() <= LONGEST {
        return Ok(topic);
    }
    Err(unsupported(format!(
        "`{name}` is too long for the name of a topic: Kafka takes {LONGEST} characters, and this is {}",
        topic.len()
    )))
}

fn spelt(name: &str) -> String {
    if [".", ".."].contains(&name) {
        return name.replace('.', "--2E");
    }
    let mut topic = String::with_capacity(name.len());
    let mut bytes = name.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let is_before_dash = byte == b'-'
            && bytes
                .peek()
                .is_some_and(|next| *next == b'-' || !is_plain(*next));
        if is_plain(byte) && !is_before_dash {
            topic.push(char::from(byte));
        } else {
            // A text takes all that is written to it.
            let _ = write!(topic, "--{byte:02X}");
        }
    }
    topic
}

/// The connector whose topic this is, if its name begins with the prefix.
pub(super) fn connector(prefix: &str, topic: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(topic.len());
    let mut rest = topic;
    while let Some((before, behind)) = rest.split_once("--") {
        let (digits, behind) = behind.split_at_checked(2)?;
        bytes.extend(before.as_bytes());
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    bytes.extend(rest.as_bytes());
    let name = String::from_utf8(bytes).ok()?;
    name.strip_prefix(prefix).map(str::to_owned)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn usual_names_stay_and_all_others_are_spelt_out() {
        assert_eq!(spelt("order_flow.Shop.OUT-2"), "order_flow.Shop.OUT-2");
        assert_eq!(spelt("flow/In Place"), "flow--2FIn--20Place");
        assert_eq!(spelt("a--b"), "a--2D-b");
        assert_eq!(spelt("."), "--2E");
        assert_eq!(spelt("ü"), "--C3--BC");
        for name in ["order_flow.Shop.OUT-2", "flow/In Place", "a--b", ".", "ü"] {
            let topic = topic("p/", name).unwrap();
            assert_eq!(connector("p/", &topic).as_deref(), Some(name));
            assert_eq!(connector("q", &topic), None);
        }
        let long = "x".repeat(250);
        assert!(topic("", &long).unwrap_err().to_string().contains("250"));
    }

    #[test]
    fn no_two_names_give_one_topic() {
        let mut names = vec![String::new()];
        let mut known = BTreeMap::new();
        for _ in 0..5 {
            let longer =
                |name: &String| ["-", "/", "2", "F", "D"].map(|sign| format!("{name}{sign}"));
            names = names.iter().flat_map(longer).collect();
            for name in &names {
                if let Some(other) = known.insert(spelt(name), name.clone()) {
                    panic!("`{name}` and `{other}` are both `{}`", spelt(name));
                }
            }
        }
    }
}
