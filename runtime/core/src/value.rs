//! Rust types that travel in packets, and texts that are read into parameters.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::fault::Fault;
use crate::packet::{Kind, Packet};

/// A type that a port can carry.
///
/// Ports never convert: a packet of another kind is a fault that names process and port.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a packet",
    label = "not a packet payload",
    note = "use text, numbers, bool, `Typed<T>` for a serde type, or `Object<T>` for any Rust type"
)]
pub trait Value: Sized + Send + 'static {
    /// Whether brackets are seen too and packets keep their identity: true for `Packet` alone.
    const RAW: bool = false;

    /// The kinds it is made from, as words; empty for any.
    fn kinds() -> Vec<String>;

    /// Reads a packet, or gives it back.
    ///
    /// # Errors
    /// The packet, when it is of another kind.
    fn from_packet(packet: Packet) -> Result<Self, Packet>;

    /// Makes a packet.
    fn into_packet(self) -> Packet;
}

/// What may be sent from a port that carries `T`.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be sent from a port that carries `{T}`")]
pub trait IntoPort<T>: Sized {
    /// Whether it is a bare packet, which may be the very one that is being handled.
    const RAW: bool = false;

    /// The packet that leaves.
    fn into_port(self) -> Packet;

    /// The packet, and whether it is a received one that is sent on as itself.
    fn parcel(self) -> (Packet, bool) {
        (self.into_port(), false)
    }
}

impl<T: Value> IntoPort<T> for T {
    const RAW: bool = <T as Value>::RAW;

    fn into_port(self) -> Packet {
        self.into_packet()
    }
}

macro_rules! scalar {
    ($($type:ty, $word:literal, $make:expr, $read:expr;)*) => {$(
        impl Value for $type {
            fn kinds() -> Vec<String> {
                vec![$word.into()]
            }

            #[inline]
            fn from_packet(packet: Packet) -> Result<Self, Packet> {
                let read: fn(&Packet) -> Option<Self> = $read;
                read(&packet).ok_or(packet)
            }

            #[inline]
            fn into_packet(self) -> Packet {
                let make: fn(Self) -> Packet = $make;
                make(self)
            }
        }
        impl IntoPort<Packet> for $type {
            fn into_port(self) -> Packet {
                self.into_packet()
            }
        }
    )*};
}

scalar! {
    i64, "int", Packet::int, Packet::as_int;
    f64, "float", Packet::float, Packet::as_float;
    bool, "bool", Packet::bool, Packet::as_bool;
    (), "null", |()| Packet::null(), |packet| (packet.kind() == Kind::Null).then_some(());
    String, "text", |text| Packet::text(text), |packet| packet.as_text().map(str::to_owned);
    Vec<u8>, "bytes", |bytes| Packet::bytes(bytes), |packet| packet.as_bytes().map(<[u8]>::to_vec);
}

impl Value for Packet {
    const RAW: bool = true;

    fn kinds() -> Vec<String> {
        Vec::new()
    }

    #[inline]
    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        Ok(packet)
    }

    #[inline]
    fn into_packet(self) -> Packet {
        self
    }
}

/// Text that is read without copying and sent on as the packet it came in.
#[derive(Clone, PartialEq)]
pub struct Text(Packet);

impl Text {
    /// A part of it that shares the same memory; `None` when the range cuts a character.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Option<Self> {
        self.0.slice(range).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_text().unwrap_or_default()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<T: AsRef<str> + Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self(Packet::text(text))
    }
}

impl Value for Text {
    fn kinds() -> Vec<String> {
        vec![Kind::Text.word().into()]
    }

    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        if packet.kind() == Kind::Text {
            Ok(Self(packet))
        } else {
            Err(packet)
        }
    }

    fn into_packet(self) -> Packet {
        self.0
    }
}

macro_rules! text_like {
    ($($type:ty),*) => {$(
        impl IntoPort<Text> for $type {
            fn into_port(self) -> Packet {
                Packet::text(self)
            }
        }
    )*};
}

text_like!(&str, String, &String);

impl IntoPort<Packet> for &str {
    fn into_port(self) -> Packet {
        Packet::text(self)
    }
}

impl IntoPort<Packet> for Text {
    fn into_port(self) -> Packet {
        self.0
    }
}

impl IntoPort<String> for &str {
    fn into_port(self) -> Packet {
        Packet::text(self)
    }
}

macro_rules! int_like {
    ($($type:ty),*) => {$(
        impl IntoPort<i64> for $type {
            fn into_port(self) -> Packet {
                Packet::int(i64::from(self))
            }
        }
    )*};
}

int_like!(i32, u32, u16, u8);

/// A whole or a floating point number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Whole.
    Int(i64),
    /// Floating point.
    Float(f64),
}

impl Number {
    /// The nearest floating point number.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl Value for Number {
    fn kinds() -> Vec<String> {
        vec![Kind::Int.word().into(), Kind::Float.word().into()]
    }

    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        let int = packet.as_int().map(Self::Int);
        int.or_else(|| packet.as_float().map(Self::Float))
            .ok_or(packet)
    }

    fn into_packet(self) -> Packet {
        match self {
            Self::Int(value) => Packet::int(value),
            Self::Float(value) => Packet::float(value),
        }
    }
}

/// A record as untyped JSON, shared until it is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Record(Packet);

impl Record {
    /// A record of this value.
    #[must_use]
    pub fn new(value: Json) -> Self {
        Self(Packet::record(value))
    }

    /// The value, copied only as far as needed to be changed.
    #[must_use]
    pub fn into_json(self) -> Json {
        self.0.to_json()
    }
}

impl Deref for Record {
    type Target = Json;

    fn deref(&self) -> &Json {
        self.0.as_record().unwrap_or(&Json::Null)
    }
}

impl Value for Record {
    fn kinds() -> Vec<String> {
        vec![Kind::Record.word().into()]
    }

    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        if packet.kind() == Kind::Record {
            Ok(Self(packet))
        } else {
            Err(packet)
        }
    }

    fn into_packet(self) -> Packet {
        self.0
    }
}

impl IntoPort<Packet> for Record {
    fn into_port(self) -> Packet {
        self.0
    }
}

impl IntoPort<Record> for Json {
    fn into_port(self) -> Packet {
        Packet::record(self)
    }
}

/// A record read into a serde type: `Typed<Order>`.
///
/// Between two ports of the same type the value itself travels; whoever reads it as a record, or as
/// another type, sees what serde writes of it. A value that cannot be written (a map without text keys,
/// say) reads as null.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed<T>(pub T);

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Value for Typed<T> {
    fn kinds() -> Vec<String> {
        vec![Kind::Record.word().into()]
    }

    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        packet.into_typed().map(Self)
    }

    fn into_packet(self) -> Packet {
        Packet::typed(self.0)
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> IntoPort<Typed<T>> for T {
    fn into_port(self) -> Packet {
        Typed(self).into_packet()
    }
}

/// Any Rust value; clones of the packet share it.
#[derive(Debug)]
pub struct Object<T>(Arc<T>);

impl<T> Object<T> {
    /// Makes it able to travel.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Object<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Any + Send + Sync> Value for Object<T> {
    fn kinds() -> Vec<String> {
        vec![format!("object:{}", std::any::type_name::<T>())]
    }

    fn from_packet(packet: Packet) -> Result<Self, Packet> {
        let shared = packet.as_object::<Arc<T>>().map(Arc::clone);
        shared.map(Self).ok_or(packet)
    }

    fn into_packet(self) -> Packet {
        Packet::object(self.0)
    }
}

/// A type that an initial packet is read into.
///
/// Text is parsed, so that `'20' -> SIZE Wrap` works; a packet of the right kind is taken as it is.
pub trait Parameter: Sized + Send + 'static {
    /// What its text is read as, for people and checks: `text`, `int`, `float`, `bool`, `duration`,
    /// `json`.
    const PARSES: &'static str;

    /// Reads an initial packet.
    ///
    /// # Errors
    /// What was expected instead.
    fn read(packet: &Packet) -> Result<Self, Fault>;
}

fn expected<T>(what: &str, packet: &Packet) -> Result<T, Fault> {
    Err(Fault::new(format!("expected {what}, got {packet:?}")))
}

impl Parameter for String {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match packet.kind() {
            Kind::Open | Kind::Close | Kind::Object | Kind::Bytes => expected("text", packet),
            _ => Ok(packet.to_string()),
        }
    }
}

impl Parameter for Text {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        String::read(packet).map(Self::from)
    }
}

macro_rules! parsed {
    ($($type:ty, $word:literal;)*) => {$(
        impl Parameter for $type {
            const PARSES: &'static str = $word;

            fn read(packet: &Packet) -> Result<Self, Fault> {
                let text = packet.to_string();
                text.trim().parse().or_else(|_| expected(concat!("a value of kind ", $word), packet))
            }
        }
    )*};
}

parsed! {
    i64, "int";
    u64, "int";
    usize, "int";
    u32, "int";
    f64, "float";
    bool, "bool";
}

impl Parameter for Duration {
    const PARSES: &'static str = "duration";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        parse_duration(&text).map_or_else(
            || expected("a duration such as 250ms, 5s or 2m", packet),
            Ok,
        )
    }
}

impl Parameter for Json {
    const PARSES: &'static str = "json";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match packet.as_text() {
            Some(text) => Ok(serde_json::from_str(text)?),
            None => Ok(packet.to_json()),
        }
    }
}

impl Parameter for Packet {
    const PARSES: &'static str = "any";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        Ok(packet.clone())
    }
}

/// Reads `250ms`, `5s`, `2m`, `1h`, `0.5s`; a bare number counts seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let seconds = match unit.trim() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bare_numbers_are_seconds() {
        let read = |text| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(read("250ms"), Some(250));
        assert_eq!(read("2"), Some(2000));
        assert_eq!(read("0.5 s"), Some(500));
        assert_eq!([read("-1s"), read("5 weeks"), read("")], [None; 3]);
    }

    #[test]
    fn parameters_parse_text_and_take_numbers() {
        assert_eq!(i64::read(&Packet::text("20")).unwrap(), 20);
        assert_eq!(i64::read(&Packet::int(20)).unwrap(), 20);
        assert!(i64::read(&Packet::text("many")).is_err());
        assert_eq!(Json::read(&Packet::text("{\"a\":1}")).unwrap()["a"], 1);
    }
}
