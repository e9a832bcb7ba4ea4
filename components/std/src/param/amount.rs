use paperflow_core::{Fault, Number, Packet, Parameter};

use super::expected;

/// A whole number, or one with a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Amount(pub(crate) Number);

impl Parameter for Amount {
    const PARSES: &'static str = "float";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match parse(&packet.to_string()) {
            Some(number) => Ok(Self(number)),
            None => expected("a number such as 3 or -2.5", packet),
        }
    }
}

/// Reads a number; `inf` and `nan` are none.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let text = text.trim();
    let int = text.parse().ok().map(Number::Int);
    let float = || {
        text.parse()
            .ok()
            .filter(|float: &f64| float.is_finite())
            .map(Number::Float)
    };
    int.or_else(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_whole() {
        assert_eq!(parse(" -7 "), Some(Number::Int(-7)));
        assert_eq!(parse("2.5"), Some(Number::Float(2.5)));
        assert_eq!(parse("1e3"), Some(Number::Float(1000.0)));
        assert_eq!(
            [parse("nan"), parse("inf"), parse("seven"), parse("")],
            [None; 4]
        );
    }
}
