use paperflow_core::{Fault, Packet, Parameter};

use super::{Fields, expected};
use crate::payload;

/// What a stream is sorted by, the most important first.
///
/// `3, 2, 5`: lengths, in characters, of the fields a text begins with. `order, line`: fields of a
/// record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Lengths of the fields of a text.
    Lengths(Vec<usize>),
    /// Fields of a record.
    Fields(Fields),
}

impl Keys {
    /// How many levels there are.
    #[must_use]
    pub(crate) const fn levels(&self) -> usize {
        match self {
            Self::Lengths(lengths) => lengths.len(),
            Self::Fields(fields) => fields.0.len(),
        }
    }

    /// The keys of a packet. A text that is too short has empty keys.
    pub(crate) fn of(&self, packet: &Packet) -> Result<Vec<Packet>, Fault> {
        match self {
            Self::Lengths(lengths) => Ok(cut(payload::text(packet)?, lengths)),
            Self::Fields(fields) => {
                let record = payload::record(packet)?;
                fields
                    .0
                    .iter()
                    .map(|field| Ok(Packet::json(field.get(record)?.clone())))
                    .collect()
            }
        }
    }
}

fn cut(text: &str, lengths: &[usize]) -> Vec<Packet> {
    let mut chars = text.chars();
    lengths
        .iter()
        .map(|length| Packet::text(chars.by_ref().take(*length).collect::<String>()))
        .collect()
}

impl Parameter for Keys {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        let list = text.trim().trim_start_matches('[').trim_end_matches(']');
        let lengths: Result<Vec<usize>, _> = list
            .split(',')
            .map(|length| length.trim().parse())
            .collect();
        match lengths {
            Ok(lengths) if !lengths.contains(&0) => return Ok(Self::Lengths(lengths)),
            Err(_) if !list.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                if let Ok(fields) = Fields::read(&Packet::text(list)) {
                    return Ok(Self::Fields(fields));
                }
            }
            _ => {}
        }
        expected(
            "lengths such as 3, 2, 5 or fields such as order, line",
            packet,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Keys, Fault> {
        Keys::read(&Packet::text(text))
    }

    #[test]
    fn numbers_are_lengths_and_words_are_fields() {
        assert_eq!(read("3, 2, 5").unwrap(), Keys::Lengths(vec![3, 2, 5]));
        assert_eq!(read("[1]").unwrap(), Keys::Lengths(vec![1]));
        assert_eq!(read("order, line").unwrap().levels(), 2);
        for text in ["", "0", "3, x", "-1", "a,,b"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_count_characters_and_short_texts_have_empty_ones() {
        let keys = Keys::Lengths(vec![2, 2]).of(&Packet::text("äöü")).unwrap();
        assert_eq!(keys, [Packet::text("äö"), Packet::text("ü")]);
        let keys = Keys::Lengths(vec![2, 2]).of(&Packet::text("ä")).unwrap();
        assert_eq!(keys, [Packet::text("ä"), Packet::text("")]);
    }
}
