//! What travels: 32 bytes, moved by value, cheap to clone because payloads are shared.
//!
//! A packet is a small copyable head (kind and one word) and an optional shared tail for what does
//! not fit: long texts, bytes, records, user types, headers. Scalars, short texts and brackets have
//! no tail, so creating, forwarding and dropping them allocates nothing.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::connector::{Disposition, Failure};
use crate::headers::Headers;
use crate::settle::{Tokens, Trail};

mod tree;
mod typed;

use tree::Tree;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Opens a group.
    Open,
    /// Closes a group.
    Close,
    /// Nothing but its arrival.
    Null,
    /// A truth value.
    Bool,
    /// A 64-bit signed whole number.
    Int,
    /// A 64-bit floating point number.
    Float,
    /// UTF-8 text.
    Text,
    /// Raw bytes.
    Bytes,
    /// A JSON array or object.
    Record,
    /// A value of a user's own Rust type.
    Object,
}

impl Kind {
    /// All of them.
    pub const KNOWN: [Self; 10] = [
        Self::Open,
        Self::Close,
        Self::Null,
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::Text,
        Self::Bytes,
        Self::Record,
        Self::Object,
    ];

    /// By number; the numbers behind the last kind are never used.
    const ALL: [Self; 16] = {
        let mut all = [Self::Object; 16];
        let mut at = 0;
        while at < Self::KNOWN.len() {
            all[Self::KNOWN[at] as usize] = Self::KNOWN[at];
            at += 1;
        }
        all
    };

    /// The word people read and graphs are checked with.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open bracket",
            Self::Close => "close bracket",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Record => "record",
            Self::Object => "object",
        }
    }
}

/// What a tail can be asked for.
trait Tail: Send + Sync {
    fn body(&self) -> Option<&(dyn Any + Send + Sync)>;
    fn headers(&self) -> Option<&Arc<Headers>>;
    fn bare(&self) -> Option<Arc<dyn Tail>>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;

    /// The payload as JSON, if it is a record.
    fn record(&self) -> Option<&Json> {
        self.body()?.downcast_ref()
    }

    fn tree(&self) -> Option<&Tree> {
        None
    }

    fn tree_mut(&mut self) -> Option<&mut Tree> {
        None
    }
}

/// A payload that does not fit the head.
struct Body<T>(T);

impl<T: Any + Send + Sync> Tail for Body<T> {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn body(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(&self.0)
    }

    fn headers(&self) -> Option<&Arc<Headers>> {
        None
    }

    fn bare(&self) -> Option<Arc<dyn Tail>> {
        None
    }
}

/// Headers, and the tail the packet had without them.
struct Headed {
    headers: Arc<Headers>,
    bare: Option<Arc<dyn Tail>>,
}

impl Tail for Headed {
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn record(&self) -> Option<&Json> {
        self.bare.as_ref()?.record()
    }

    fn body(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.bare.as_ref().and_then(|bare| bare.body())
    }

    fn headers(&self) -> Option<&Arc<Headers>> {
        Some(&self.headers)
    }

    fn bare(&self) -> Option<Arc<dyn Tail>> {
        self.bare.clone()
    }
}

/// Bytes of text that fit the head.
const INLINE: usize = 8;
/// Marks a text or byte payload that lives in the head.
const IN_HEAD: u8 = 1;
/// Marks a tail that carries headers.
const HEADED: u8 = 2;
/// Marks a bracket.
const BRACKET: u8 = 4;
/// Marks a tail that owns packets.
const TREE: u8 = 8;

/// What travels: data or a bracket, with headers when somebody needed them.
pub struct Packet {
    /// A [`Kind`] as a plain number: an enum would lend its spare values to `Option<Packet>`, and
    /// packets would then be copied in pieces around it, which costs more than the larger option.
    code: u8,
    flags: u8,
    /// Length of a text or bytes.
    length: u32,
    /// A scalar, a short text, or the offset into the shared buffer.
    word: [u8; INLINE],
    tail: Option<Arc<dyn Tail>>,
}

impl Packet {
    const fn head(kind: Kind, word: u64) -> Self {
        let is_bracket = matches!(kind, Kind::Open | Kind::Close);
        Self {
            code: kind as u8,
            flags: if is_bracket { BRACKET } else { 0 },
            length: 0,
            word: word.to_le_bytes(),
            tail: None,
        }
    }

    fn tailed(kind: Kind, length: usize, tail: Arc<dyn Tail>) -> Self {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Self {
            code: kind as u8,
            flags: 0,
            length,
            word: [0; INLINE],
            tail: Some(tail),
        }
    }

    /// Opens a group.
    #[inline]
    #[must_use]
    pub const fn open() -> Self {
        Self::head(Kind::Open, 0)
    }

    /// Closes a group.
    #[inline]
    #[must_use]
    pub const fn close() -> Self {
        Self::head(Kind::Close, 0)
    }

    /// A packet whose arrival is its whole meaning.
    #[inline]
    #[must_use]
    pub const fn null() -> Self {
        Self::head(Kind::Null, 0)
    }

    /// A truth value.
    #[inline]
    #[must_use]
    pub const fn bool(value: bool) -> Self {
        Self::head(Kind::Bool, value as u64)
    }

    /// A whole number.
    #[inline]
    #[must_use]
    pub const fn int(value: i64) -> Self {
        Self::head(Kind::Int, value.cast_unsigned())
    }

    /// A floating point number.
    #[inline]
    #[must_use]
    pub const fn float(value: f64) -> Self {
        Self::head(Kind::Float, value.to_bits())
    }

    /// A text; up to eight bytes stay in the packet itself.
    #[must_use]
    pub fn text(value: impl AsRef<str> + Into<String>) -> Self {
        let bytes = value.as_ref().as_bytes();
        match inline(bytes) {
            Some(word) => Self::short(Kind::Text, bytes.len(), word),
            None => Self::tailed(
                Kind::Text,
                bytes.len(),
                Arc::new(Body::<String>(value.into())),
            ),
        }
    }

    /// Raw bytes; up to eight stay in the packet itself.
    #[must_use]
    pub fn bytes(value: impl AsRef<[u8]> + Into<Vec<u8>>) -> Self {
        let bytes = value.as_ref();
        match inline(bytes) {
            Some(word) => Self::short(Kind::Bytes, bytes.len(), word),
            None => Self::tailed(
                Kind::Bytes,
                bytes.len(),
                Arc::new(Body::<Vec<u8>>(value.into())),
            ),
        }
    }

    const fn short(kind: Kind, length: usize, word: [u8; INLINE]) -> Self {
        Self {
            code: kind as u8,
            flags: IN_HEAD,
            length: length as u32,
            word,
            tail: None,
        }
    }

    /// A JSON value: scalars and texts become plain payloads, arrays and objects records.
    #[must_use]
    pub fn json(value: Json) -> Self {
        match value {
            Json::Null => Self::null(),
            Json::Bool(value) => Self::bool(value),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::int(int),
                None => Self::float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::text(text),
            record => Self::record(record),
        }
    }

    /// A record: any JSON value, kept as it is.
    #[must_use]
    pub fn record(value: Json) -> Self {
        Self::tailed(Kind::Record, 0, Arc::new(Body(value)))
    }

    /// A value of a user's own type, shared when the packet is cloned.
    #[must_use]
    pub fn object<T: Any + Send + Sync>(value: T) -> Self {
        Self::tailed(Kind::Object, 0, Arc::new(Body(value)))
    }

    /// What it is.
    #[inline]
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::ALL[(self.code & 15) as usize]
    }

    #[inline]
    const fn is(&self, kind: Kind) -> bool {
        self.code == kind as u8
    }

    /// Whether it is more than a payload: a bracket, or something with headers or with packets attached.
    #[inline]
    #[must_use]
    pub const fn is_special(&self) -> bool {
        self.flags & (BRACKET | HEADED | TREE) != 0
    }

    /// Whether it opens or closes a group.
    #[inline]
    #[must_use]
    pub const fn is_bracket(&self) -> bool {
        self.flags & BRACKET != 0
    }

    /// The truth value, if it is one.
    #[inline]
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        (self.is(Kind::Bool)).then(|| self.word != [0; INLINE])
    }

    /// The whole number, if it is one.
    #[inline]
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        (self.is(Kind::Int)).then(|| i64::from_le_bytes(self.word))
    }

    /// The floating point number, if it is one.
    #[inline]
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        (self.is(Kind::Float)).then(|| f64::from_bits(u64::from_le_bytes(self.word)))
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if !self.is(Kind::Text) {
            return None;
        }
        if self.flags & IN_HEAD != 0 {
            return std::str::from_utf8(&self.word[..self.length as usize]).ok();
        }
        let text = self.body::<String>()?;
        let start = self.offset();
        text.get(start..start + self.length as usize)
    }

    /// The bytes, if it is bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if !self.is(Kind::Bytes) {
            return None;
        }
        if self.flags & IN_HEAD != 0 {
            return self.word.get(..self.length as usize);
        }
        self.body::<Vec<u8>>()?
            .get(self.offset()..)?
            .get(..self.length as usize)
    }

    /// The record, if it is one.
    #[must_use]
    pub fn as_record(&self) -> Option<&Json> {
        if self.is(Kind::Record) {
            self.tail.as_ref()?.record()
        } else {
            None
        }
    }

    /// The user's value, if it is an object of that type.
    #[must_use]
    pub fn as_object<T: Any>(&self) -> Option<&T> {
        if self.is(Kind::Object) {
            self.body()
        } else {
            None
        }
    }

    fn body<T: Any>(&self) -> Option<&T> {
        self.tail.as_ref()?.body()?.downcast_ref()
    }

    fn offset(&self) -> usize {
        usize::try_from(u64::from_le_bytes(self.word)).unwrap_or(usize::MAX)
    }

    /// A part of a text as a packet of its own, without copying the text.
    ///
    /// The range counts bytes; `None` when this is no text or the range cuts a character.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Option<Self> {
        let part = self.as_text()?.get(range.clone())?;
        if let Some(word) = inline(part.as_bytes()) {
            return Some(Self::short(Kind::Text, part.len(), word));
        }
        let word = ((self.offset() + range.start) as u64).to_le_bytes();
        Some(Self {
            length: u32::try_from(part.len()).ok()?,
            word,
            ..self.clone()
        })
    }

    /// The headers, if it has any.
    #[inline]
    #[must_use]
    pub fn headers(&self) -> Option<&Arc<Headers>> {
        if self.flags & HEADED == 0 {
            None
        } else {
            self.tail.as_ref()?.headers()
        }
    }

    /// The same payload with these headers instead of its own.
    #[must_use]
    pub fn with_headers(self, headers: impl Into<Arc<Headers>>) -> Self {
        let headers = headers.into();
        let trail = self.trail().filter(|trail| !trail.is_empty());
        let headers = match trail {
            Some(trail) if headers.trail().is_empty() => {
                Arc::new((*headers).clone().with_trail(trail.clone()))
            }
            _ => headers,
        };
        self.headed(headers)
    }

    fn headed(mut self, headers: Arc<Headers>) -> Self {
        if self.flags & TREE != 0 {
            self.flags |= HEADED;
            self.put_headers_below(headers);
            return self;
        }
        let bare = if self.flags & HEADED == 0 {
            self.tail.take()
        } else {
            self.tail.take().and_then(|tail| tail.bare())
        };
        self.flags |= HEADED;
        self.tail = Some(Arc::new(Headed { headers, bare }));
        self
    }

    /// Where it comes from, in a network with connectors.
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.headers().map(|headers| headers.trail())
    }

    /// The same packet, coming from elsewhere.
    #[must_use]
    pub fn with_trail(self, trail: Trail) -> Self {
        let headers = self.headers().map(|headers| (**headers).clone());
        self.headed(Arc::new(headers.unwrap_or_default().with_trail(trail)))
    }

    /// The deliveries that it follows from.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        self.trail()
            .map_or_else(Tokens::default, |trail| trail.tokens.clone())
    }

    /// Says of the deliveries that it follows from what has become of them here.
    pub fn worsen(&self, disposition: Disposition, failure: Option<&Failure>) {
        if let Some(trail) = self.trail() {
            trail.tokens.worsen(disposition, failure);
        }
    }

    /// Nobody handles it any more, through no fault of its own: the deliveries that it follows from are
    /// given back to their store.
    pub fn release(&self) {
        self.worsen(Disposition::Release, None);
    }

    /// The same packet, which says nothing of where it comes from.
    #[inline]
    #[must_use]
    pub(crate) fn without_trail(self) -> Self {
        match self.trail() {
            Some(trail) if !trail.is_empty() => self.with_trail(Trail::default()),
            _ => self,
        }
    }

    /// The same packet with one header set.
    ///
    /// ```
    /// # use paperflow_core::Packet;
    /// let packet = Packet::text("order 12").with_header("tenant", "one");
    /// assert_eq!(packet.headers().and_then(|headers| headers.get("tenant")), Some("one"));
    /// ```
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        let mut headers = self
            .headers()
            .map_or_else(Headers::default, |headers| (**headers).clone());
        headers.set(name, value);
        self.with_headers(headers)
    }

    /// The payload as JSON: bytes become an array of numbers, objects and brackets null.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self.kind() {
            Kind::Open | Kind::Close | Kind::Null | Kind::Object => Json::Null,
            Kind::Bool => self.as_bool().into(),
            Kind::Int => self.as_int().into(),
            Kind::Float => self.as_float().into(),
            Kind::Text => self.as_text().into(),
            Kind::Bytes => self
                .as_bytes()
                .map_or(Json::Null, |bytes| bytes.to_vec().into()),
            Kind::Record => self.as_record().cloned().unwrap_or(Json::Null),
        }
    }
}

/// The bytes as one word, when they fit.
fn inline(bytes: &[u8]) -> Option<[u8; INLINE]> {
    let mut word = [0; INLINE];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(word)
}

/// As people read it: text bare, brackets as parentheses, records as JSON.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Open => f.write_str("("),
            Kind::Close => f.write_str(")"),
            Kind::Null | Kind::Bool | Kind::Int => write!(f, "{}", self.to_json()),
            Kind::Record => write!(f, "{}", self.as_record().unwrap_or(&Json::Null)),
            Kind::Float => write!(f, "{:?}", self.as_float().unwrap_or(f64::NAN)),
            Kind::Text => f.write_str(self.as_text().unwrap_or_default()),
            Kind::Bytes => write!(f, "<{} bytes>", self.length),
            Kind::Object => f.write_str("<object>"),
        }
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Kind::Text => write!(f, "{:?}", self.as_text().unwrap_or_default()),
            Kind::Bytes => write!(f, "{:?}", self.as_bytes().unwrap_or_default()),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

/// Equal payloads; headers do not matter, objects are equal when they are the same one.
impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        if self.code != other.code {
            return false;
        }
        match (self.kind(), &self.tail, &other.tail) {
            (Kind::Text, ..) => self.as_text() == other.as_text(),
            (Kind::Bytes, ..) => self.as_bytes() == other.as_bytes(),
            (Kind::Record, ..) => self.as_record() == other.as_record(),
            (Kind::Object, Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => self.word == other.word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_at_most_32_bytes() {
        assert!(size_of::<Packet>() <= 32);
    }

    #[test]
    fn payloads_come_back_as_they_went_in() {
        assert_eq!(Packet::int(-7).as_int(), Some(-7));
        assert_eq!(Packet::float(0.5).as_float(), Some(0.5));
        assert_eq!(Packet::bool(true).as_bool(), Some(true));
        for text in ["", "short", "eight by", "longer than eight"] {
            assert_eq!(Packet::text(text).as_text(), Some(text));
            assert_eq!(
                Packet::bytes(text.as_bytes()).as_bytes(),
                Some(text.as_bytes())
            );
        }
        assert_eq!(Packet::object(3_u8).as_object::<u8>(), Some(&3));
        assert_eq!(Packet::int(1).as_text(), None);
    }

    #[test]
    fn slices_share_the_text_and_never_cut_a_character() {
        let text = Packet::text("grün ist die Heide im Mai");
        assert_eq!(text.slice(0..5).unwrap().as_text(), Some("grün"));
        let part = text.slice(6..25).unwrap();
        assert_eq!(part.as_text(), Some("ist die Heide im Ma"));
        assert_eq!(
            part.slice(4..19).unwrap().as_text(),
            Some("die Heide im Ma")
        );
        assert!(text.slice(0..3).is_none(), "cuts the ü");
    }

    #[test]
    fn headers_come_off_and_on_without_touching_the_payload() {
        let plain = Packet::text("a text with a tail");
        let mut headers = Headers::default();
        headers.set("tenant", "one");
        let headed = plain
            .clone()
            .with_headers(headers.clone())
            .with_headers(headers);
        assert_eq!(headed, plain);
        assert_eq!(headed.as_text(), Some("a text with a tail"));
        assert_eq!(
            headed.headers().and_then(|headers| headers.get("tenant")),
            Some("one")
        );
        assert!(plain.headers().is_none());
        assert!(headed.slice(7..18).unwrap().headers().is_some());
    }
}
