//! Which partition a message goes to.
//!
//! The partition follows from a hash of the message's key, so what has the same key has the same
//! partition, and its order. The hash is *consistent*: a stream that gets one more partition moves only
//! its share of the keys, all of them to the new one. Keys that moved have records in two partitions;
//! between those their order is not kept.

use paperflow_core::Kind;
use paperflow_core::message::{Message, hash_of_key};
use serde_json::Value as Json;

/// Where the key of a message is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Nowhere: messages are spread by their ids, and only the order within a partition is kept.
    None,
    /// A field of its payload, which is a record.
    Field(String),
    /// A header.
    Header(String),
}

impl Key {
    /// What a declaration says: a field, or `header:NAME`.
    pub(crate) fn of(declared: Option<&str>) -> Self {
        let header = |key: &str| key.strip_prefix("header:").map(str::to_owned);
        match declared {
            None => Self::None,
            Some(key) => header(key).map_or_else(|| Self::Field(key.to_owned()), Self::Header),
        }
    }

    /// The partition of a message, of so many. A message without the key goes where the empty key does,
    /// so that the order of those is kept too.
    pub(crate) fn partition(&self, message: &Message, partitions: u32) -> u32 {
        match partitions {
            0 | 1 => 0,
            _ => partition_of(self.value(message).as_deref(), message, partitions),
        }
    }

    /// The value of the key of a message: empty when it has none, and nothing when there is no key.
    pub(crate) fn value(&self, message: &Message) -> Option<String> {
        match self {
            Self::None => None,
            Self::Header(name) => {
                let value = message.headers.get(name);
                Some(value.unwrap_or_default().to_owned())
            }
            Self::Field(name) => Some(field(message, name)),
        }
    }
}

/// The partition of a message whose key has this value, of so many.
pub(crate) fn partition_of(key: Option<&str>, message: &Message, partitions: u32) -> u32 {
    let hash = key.map_or_else(|| hash_of_id(message), hash_of_key);
    jump(hash, partitions.max(1))
}

/// Ids are hashes already.
fn hash_of_id(message: &Message) -> u64 {
    let bytes = message.id.to_bytes();
    let half = bytes.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(half)
}

/// The value of a field of the first record of a message: a text as it is, everything else as JSON, and
/// nothing when there is no such field.
fn field(message: &Message, name: &str) -> String {
    let record = message.parts.iter().find(|part| part.kind == Kind::Record);
    let json = record.and_then(|part| serde_json::from_slice::<Json>(&part.body).ok());
    match json.as_ref().and_then(|json| json.get(name)) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The jump consistent hash of Lamping and Veach, in whole numbers, so that it is the same everywhere: the
/// key jumps from partition to partition, ever further, and stays where the next jump would lead out.
fn jump(mut hash: u64, partitions: u32) -> u32 {
    let (mut at, mut next) = (0, 0);
    while next < u64::from(partitions) {
        at = next;
        hash = hash.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((at + 1) << 31) / ((hash >> 33) + 1);
    }
    u32::try_from(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use paperflow_core::Packet;
    use paperflow_core::message::Id;

    fn message(name: &str, packet: &Packet) -> Message {
        Message::of(Id::of(name), packet).unwrap()
    }

    fn order(customer: &Json) -> Message {
        let record = serde_json::json!({"note": "x", "customer": customer});
        message(&format!("{customer}"), &Packet::json(record))
    }

    #[test]
    fn a_key_keeps_its_partition_for_ever() {
        // Written down: a stream on a disk is read by later versions.
        let keys = ["A", "B", "C", "order 17", ""];
        let places = keys.map(|key| jump(hash_of_key(key), 8));
        assert_eq!(places, [2, 6, 4, 6, 0]);
        // As others who implement it have it.
        let known = [
            10_863_919_174_838_991,
            2_016_238_256_797_177_309,
            1_673_758_223_894_951_030,
        ];
        assert_eq!(known.map(|hash| jump(hash, 11)), [6, 3, 5]);
    }

    #[test]
    fn one_more_partition_moves_its_share_and_only_to_the_new_one() {
        let keys: Vec<u64> = (0..20_000)
            .map(|n| hash_of_key(&format!("key {n}")))
            .collect();
        for partitions in [1, 2, 3, 4, 7, 16, 63] {
            let moved = keys
                .iter()
                .map(|key| (jump(*key, partitions), jump(*key, partitions + 1)))
                .filter(|(before, after)| before != after);
            let moved: Vec<_> = moved.collect();
            assert!(moved.iter().all(|(_, after)| *after == partitions));
            let share = keys.len() / (partitions as usize + 1);
            assert!(
                moved.len() > share * 8 / 10 && moved.len() < share * 12 / 10,
                "{partitions}: {} of {share}",
                moved.len()
            );
        }
    }

    #[test]
    fn keys_are_spread_evenly() {
        let mut counts = [0_usize; 12];
        for n in 0..24_000 {
            counts[jump(hash_of_key(&format!("customer-{n}")), 12) as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (1_800..2_200).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_key_is_a_field_or_a_header() {
        let field = Key::of(Some("customer"));
        let text = field.partition(&order(&"7".into()), 64);
        assert_eq!(
            text,
            field.partition(&order(&7.into()), 64),
            "as it is written"
        );
        let header = Key::of(Some("header:tenant"));
        let packet = Packet::text("x").with_header("tenant", "7");
        assert_eq!(header.partition(&message("m", &packet), 64), text);
    }

    #[test]
    fn messages_without_their_key_stay_together_and_those_of_no_key_spread() {
        let keyed = Key::of(Some("customer"));
        let texts: Vec<Message> = (0..100)
            .map(|n| message(&n.to_string(), &Packet::int(n)))
            .collect();
        let places = |key: &Key| {
            let places = texts.iter().map(|text| key.partition(text, 4));
            places.collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(places(&keyed).len(), 1);
        assert_eq!(places(&Key::of(None)).len(), 4);
    }
}
