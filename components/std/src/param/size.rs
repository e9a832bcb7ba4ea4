use paperflow_core::{Fault, Packet, Parameter};

use super::expected;

/// How many: 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub u64);

impl Parameter for Count {
    const PARSES: &'static str = "int";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match packet.to_string().trim().parse() {
            Ok(count) => Ok(Self(count)),
            Err(_) => expected("a whole number, 0 or more", packet),
        }
    }
}

/// How large: 1 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub usize);

impl Parameter for Size {
    const PARSES: &'static str = "int";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        match packet.to_string().trim().parse() {
            Ok(size) if size > 0 => Ok(Self(size)),
            _ => expected("a whole number, 1 or more", packet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_may_be_zero_and_a_size_may_not() {
        assert_eq!(Count::read(&Packet::text(" 0 ")).unwrap(), Count(0));
        assert_eq!(Size::read(&Packet::int(3)).unwrap(), Size(3));
        assert!(Size::read(&Packet::text("0")).is_err());
    }

    #[test]
    fn negative_counts_say_what_was_expected() {
        let fault = Count::read(&Packet::text("-5")).unwrap_err();
        assert_eq!(
            fault.message(),
            "expected a whole number, 0 or more, got \"-5\""
        );
    }
}
