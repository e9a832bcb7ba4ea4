//! Packets as a store keeps them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::headers::Headers;
use crate::packet::{Kind, Packet};

/// The identity of a message: the same for the same packet of the same run, also after a crash.
///
/// The id of what a process sends follows from the id of what it received, from who it is and from
/// the place among what it sends, so that work which is done again gives the same ids again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u128);

impl Id {
    /// The id that is named by a text.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(xxh3_128(name.as_bytes()))
    }

    /// The id of the `index`-th packet sent at a place while handling this one.
    #[must_use]
    pub fn derive(self, place: Self, index: u64) -> Self {
        let mut bytes = [0; 40];
        bytes[..16].copy_from_slice(&self.to_bytes());
        bytes[16..32].copy_from_slice(&place.to_bytes());
        bytes[32..].copy_from_slice(&index.to_be_bytes());
        Self(xxh3_128(&bytes))
    }

    /// As bytes, the most significant first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// 32 hexadecimal digits.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, since logs are full of them.
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.to_bytes()) {
            let half = |half: u8| DIGITS[usize::from(half & 15)];
            pair.copy_from_slice(&[half(byte >> 4), half(byte)]);
        }
        f.write_str(str::from_utf8(&digits).unwrap_or_default())
    }
}

/// Reads what `Display` wrote.
impl std::str::FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// A number that stays the same for a key, on every machine and in every version.
#[must_use]
pub fn hash_of_key(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

/// A packet, or a whole group of packets from its open to its close bracket, as a store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its identity.
    pub id: Id,
    /// The headers of the packet; of a group, those of its open bracket.
    pub headers: Headers,
    /// One part for a packet, and one for each packet of a group, brackets included.
    pub parts: Vec<Part>,
}

/// A packet of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its payload: text and bytes as they are, everything else as JSON, brackets and null empty.
    pub body: Vec<u8>,
    /// Its headers, if it is inside a group; those of the message are kept by the message.
    pub headers: Headers,
}

/// Bytes that are no packet of the kind they are said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    /// What is wrong, in one sentence: lower case, no full stop.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Part {
    /// A packet without its headers.
    ///
    /// # Errors
    /// A value of a user's own type, or a packet that owns others: give them as a record.
    pub fn of(packet: &Packet) -> Result<Self, &'static str> {
        if packet.weight() > 1 {
            return Err("a packet that owns packets cannot be kept by a store");
        }
        let kind = packet.kind();
        let body = match kind {
            Kind::Open | Kind::Close | Kind::Null => Vec::new(),
            Kind::Text => packet.as_text().unwrap_or_default().as_bytes().to_vec(),
            Kind::Bytes => packet.as_bytes().unwrap_or_default().to_vec(),
            // JSON has no such numbers.
            Kind::Float => packet.as_float().unwrap_or_default().to_string().into(),
            Kind::Bool | Kind::Int | Kind::Record => packet.to_json().to_string().into(),
            Kind::Object => {
                return Err("a value of a type of its own cannot be kept by a store");
            }
        };
        let headers = Headers::default();
        Ok(Self {
            kind,
            body,
            headers,
        })
    }

    /// A packet inside a group, with its headers.
    ///
    /// # Errors
    /// See [`Part::of`].
    pub fn inside(packet: &Packet) -> Result<Self, &'static str> {
        let headers = packet.headers().map(|headers| headers.written());
        Ok(Self {
            headers: headers.unwrap_or_default(),
            ..Self::of(packet)?
        })
    }

    /// The packet.
    ///
    /// # Errors
    /// The body does not fit the kind.
    pub fn packet(self) -> Result<Packet, Unreadable> {
        let headers = self.headers;
        let packet = bare(self.kind, self.body)?;
        Ok(if headers.is_empty() {
            packet
        } else {
            packet.with_headers(headers)
        })
    }
}

/// A packet without headers.
fn bare(kind: Kind, body: Vec<u8>) -> Result<Packet, Unreadable> {
    match kind {
        Kind::Open => return Ok(Packet::open()),
        Kind::Close => return Ok(Packet::close()),
        Kind::Null => return Ok(Packet::null()),
        Kind::Bytes => return Ok(Packet::bytes(body)),
        Kind::Object => return Err(unreadable(kind, &body)),
        Kind::Text => {
            return match String::from_utf8(body) {
                Ok(text) => Ok(Packet::text(text)),
                Err(error) => Err(unreadable(kind, error.as_bytes())),
            };
        }
        Kind::Bool | Kind::Int | Kind::Float | Kind::Record => {}
    }
    let text = std::str::from_utf8(&body).map_err(|_| unreadable(kind, &body))?;
    let packet = match kind {
        Kind::Bool => text.parse().ok().map(Packet::bool),
        Kind::Int => text.parse().ok().map(Packet::int),
        Kind::Float => text.parse().ok().map(Packet::float),
        _ => serde_json::from_str::<Json>(text).ok().map(Packet::record),
    };
    packet.ok_or_else(|| unreadable(kind, text.as_bytes()))
}

fn unreadable(kind: Kind, body: &[u8]) -> Unreadable {
    let shown: String = String::from_utf8_lossy(body).chars().take(60).collect();
    Unreadable(format!("this is no {}: `{shown}`", kind.word()))
}

impl Message {
    /// A packet that is no group.
    ///
    /// # Errors
    /// See [`Part::of`].
    pub fn of(id: Id, packet: &Packet) -> Result<Self, &'static str> {
        let headers = packet.headers().map(|headers| headers.written());
        Ok(Self {
            id,
            headers: headers.unwrap_or_default(),
            parts: vec![Part::of(packet)?],
        })
    }

    /// Whether it is a whole group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.parts.len() > 1
    }

    /// Bytes of its payload.
    #[must_use]
    pub fn size(&self) -> usize {
        self.parts.iter().map(|part| part.body.len()).sum()
    }

    /// What kind it is, in a word: that of its only part, or `group`.
    #[must_use]
    pub fn kind_word(&self) -> &'static str {
        match self.parts.as_slice() {
            [part] => part.kind.word(),
            _ => "group",
        }
    }

    /// Its body as one piece: that of its only part as it is, of a group a JSON list of its parts.
    ///
    /// # Errors
    /// Never for a message that was made by [`Message::of`] or by the engine.
    pub fn body(&self) -> Result<Cow<'_, [u8]>, serde_json::Error> {
        match self.parts.as_slice() {
            [part] => Ok(Cow::Borrowed(&part.body)),
            parts => {
                let parts: Vec<_> = parts.iter().map(Written::of).collect();
                serde_json::to_vec(&parts).map(Cow::Owned)
            }
        }
    }

    /// The parts that [`body`](Self::body) and [`kind_word`](Self::kind_word) tell of.
    ///
    /// # Errors
    /// They are not what those two gave.
    pub fn parts_of(kind: &str, body: Vec<u8>) -> Result<Vec<Part>, Unreadable> {
        if kind == "group" {
            let written: Vec<Written> = serde_json::from_slice(&body)
                .map_err(|error| Unreadable(format!("this is no group: {error}")))?;
            return written.into_iter().map(Written::part).collect();
        }
        match kind_of(kind) {
            Some(kind) => Ok(vec![Part {
                kind,
                body,
                headers: Headers::default(),
            }]),
            None => Err(Unreadable(format!("`{kind}` is no kind of packet"))),
        }
    }
}

fn kind_of(word: &str) -> Option<Kind> {
    Kind::KNOWN.into_iter().find(|kind| kind.word() == word)
}

/// A part in the body of a group.
#[derive(Serialize, Deserialize)]
struct Written {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// A body that is no UTF-8, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
}

impl Written {
    fn of(part: &Part) -> Self {
        let kind = part.kind.word().to_owned();
        let headers = part.headers.clone();
        if part.kind == Kind::Bytes {
            let digits = part.body.iter().map(|byte| format!("{byte:02x}")).collect();
            let (body, bytes) = (None, Some(digits));
            return Self {
                kind,
                body,
                bytes,
                headers,
            };
        }
        let text = String::from_utf8_lossy(&part.body).into_owned();
        let body = (!text.is_empty()).then_some(text);
        let bytes = None;
        Self {
            kind,
            body,
            bytes,
            headers,
        }
    }

    fn part(self) -> Result<Part, Unreadable> {
        let kind = kind_of(&self.kind)
            .ok_or_else(|| Unreadable(format!("`{}` is no kind of packet", self.kind)))?;
        let body = match self.bytes {
            Some(digits) => from_hex(&digits).ok_or_else(|| {
                Unreadable(String::from(
                    "a group has bytes that are not written in hexadecimal digits",
                ))
            })?,
            None => self.body.unwrap_or_default().into_bytes(),
        };
        Ok(Part {
            kind,
            body,
            headers: self.headers,
        })
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pair = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_went_in() {
        let packets = [
            Packet::null(),
            Packet::bool(true),
            Packet::int(-7),
            Packet::float(f64::INFINITY),
            Packet::float(0.1),
            Packet::text("grün ist die Heide"),
            Packet::bytes(vec![0, 255, 3]),
            Packet::json(serde_json::json!({"b": 1, "a": [1, null]})),
        ];
        for packet in packets {
            let part = Part::of(&packet).unwrap();
            assert_eq!(part.packet().unwrap(), packet);
        }
    }

    #[test]
    fn a_group_is_one_body() {
        let text = Packet::text("x").with_header("tenant", "one");
        let group = [
            Packet::open(),
            Packet::bytes(vec![1, 2]),
            text,
            Packet::close(),
        ];
        let parts: Vec<Part> = group
            .iter()
            .map(|packet| Part::inside(packet).unwrap())
            .collect();
        let id = Id::of("group");
        let headers = Headers::default();
        let message = Message { id, headers, parts };
        let body = message.body().unwrap();
        assert_eq!(
            Message::parts_of(message.kind_word(), body.into_owned()).unwrap(),
            message.parts
        );
    }

    #[test]
    fn what_cannot_be_kept_says_so() {
        assert!(
            Part::of(&Packet::object(3_u8))
                .unwrap_err()
                .contains("type of its own")
        );
        let part = Part {
            kind: Kind::Int,
            body: b"seven".to_vec(),
            headers: Headers::default(),
        };
        assert_eq!(
            part.packet().unwrap_err().to_string(),
            "this is no int: `seven`"
        );
    }

    #[test]
    fn ids_follow_from_where_they_come() {
        let (order, place) = (Id::of("order 1"), Id::of("graph/Pay.OUT"));
        assert_eq!(order.derive(place, 0), order.derive(place, 0));
        assert_ne!(order.derive(place, 0), order.derive(place, 1));
        assert_ne!(order.derive(place, 0), Id::of("order 2").derive(place, 0));
        assert_eq!(order.to_string().parse(), Ok(order));
    }
}
