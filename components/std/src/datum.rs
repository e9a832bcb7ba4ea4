//! One order over all payloads.

use std::cmp::Ordering;

use paperflow_core::{Kind, Packet};
use serde_json::Value as Json;

/// A payload as something that can be compared.
///
/// Nothing comes before truth values, then numbers by value, texts by code point, bytes, records by
/// their JSON text, and last whatever cannot be looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Datum<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Record(&'a Json),
    Other,
}

impl<'a> Datum<'a> {
    /// Whether both are of a kind that can be told smaller or larger.
    pub(crate) const fn is_like(self, other: Datum<'_>) -> bool {
        self.rank() == other.rank()
    }

    /// Where it stands.
    pub(crate) fn compare(self, other: Datum<'_>) -> Ordering {
        match (self, other) {
            (Self::Bool(one), Datum::Bool(two)) => one.cmp(&two),
            (Self::Int(one), Datum::Int(two)) => one.cmp(&two),
            (Self::Int(one), Datum::Float(two)) => compare_mixed(one, two),
            (Self::Float(one), Datum::Int(two)) => compare_mixed(two, one).reverse(),
            (Self::Float(one), Datum::Float(two)) => compare_floats(one, two),
            (Self::Text(one), Datum::Text(two)) => one.cmp(two),
            (Self::Bytes(one), Datum::Bytes(two)) => one.cmp(two),
            (Self::Record(one), Datum::Record(two)) => one.to_string().cmp(&two.to_string()),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::Bytes(_) => 4,
            Self::Record(_) => 5,
            Self::Other => 6,
        }
    }
}

/// Zero is zero, whatever its sign; what is no number comes last.
fn compare_floats(one: f64, two: f64) -> Ordering {
    one.partial_cmp(&two)
        .unwrap_or_else(|| one.is_nan().cmp(&two.is_nan()))
}

/// Exact, since an order with rounding in it would be none.
fn compare_mixed(int: i64, float: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() || float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    int.cmp(&(float.trunc() as i64))
        .then(compare_floats(0.0, float.fract()))
}

impl<'a> From<&'a Packet> for Datum<'a> {
    fn from(packet: &'a Packet) -> Self {
        let datum = match packet.kind() {
            Kind::Null => Some(Self::Null),
            Kind::Bool => packet.as_bool().map(Self::Bool),
            Kind::Int => packet.as_int().map(Self::Int),
            Kind::Float => packet.as_float().map(Self::Float),
            Kind::Text => packet.as_text().map(Self::Text),
            Kind::Bytes => packet.as_bytes().map(Self::Bytes),
            Kind::Record => packet.as_record().map(Self::from),
            Kind::Open | Kind::Close | Kind::Object => None,
        };
        datum.unwrap_or(Self::Other)
    }
}

impl<'a> From<&'a Json> for Datum<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text),
            Json::Array(_) | Json::Object(_) => Self::Record(json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(one: &Packet, two: &Packet) -> Ordering {
        Datum::from(one).compare(Datum::from(two))
    }

    #[test]
    fn numbers_compare_by_value_whatever_their_kind() {
        assert_eq!(
            compare(&Packet::int(-2), &Packet::float(-1.5)),
            Ordering::Less
        );
        assert_eq!(
            compare(&Packet::float(2.0), &Packet::int(2)),
            Ordering::Equal
        );
        assert_eq!(
            compare(&Packet::float(-0.0), &Packet::int(0)),
            Ordering::Equal
        );
        assert_eq!(
            compare(&Packet::float(f64::NAN), &Packet::int(0)),
            Ordering::Greater
        );
    }

    #[test]
    fn large_numbers_compare_exactly() {
        let float = Packet::float(9_007_199_254_740_992.0);
        assert_eq!(
            compare(&Packet::int(9_007_199_254_740_993), &float),
            Ordering::Greater
        );
        assert_eq!(
            compare(&Packet::int(9_007_199_254_740_992), &float),
            Ordering::Equal
        );
        assert_eq!(
            compare(&Packet::int(i64::MAX), &Packet::float(i64::MAX as f64)),
            Ordering::Less
        );
        assert_eq!(
            compare(&Packet::int(i64::MIN), &Packet::float(i64::MIN as f64)),
            Ordering::Equal
        );
        assert_eq!(
            compare(&Packet::int(-1), &Packet::float(-1.5)),
            Ordering::Greater
        );
        assert_eq!(
            compare(&Packet::float(f64::NEG_INFINITY), &Packet::int(i64::MIN)),
            Ordering::Less
        );
    }

    #[test]
    fn texts_compare_by_code_point() {
        assert_eq!(
            compare(&Packet::text("Z"), &Packet::text("a")),
            Ordering::Less
        );
        assert_eq!(
            compare(&Packet::text("z"), &Packet::text("ä")),
            Ordering::Less
        );
    }

    #[test]
    fn kinds_have_a_fixed_order() {
        assert_eq!(compare(&Packet::int(9), &Packet::text("1")), Ordering::Less);
        assert_eq!(
            compare(&Packet::null(), &Packet::bool(false)),
            Ordering::Less
        );
    }
}
