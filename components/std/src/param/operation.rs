use paperflow_core::{Fault, Packet, Parameter};

use super::expected;

/// What two numbers are made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
}

const WORDS: [(&str, &str, Operation); 6] = [
    ("add", "+", Operation::Add),
    ("subtract", "-", Operation::Subtract),
    ("multiply", "*", Operation::Multiply),
    ("divide", "/", Operation::Divide),
    ("min", "", Operation::Min),
    ("max", "", Operation::Max),
];

impl Parameter for Operation {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        let text = text.trim();
        let fits = |(word, sign, _): &&(&str, &str, Self)| text == *word || text == *sign;
        let known = WORDS.iter().filter(|_| !text.is_empty()).find(fits);
        known.map_or_else(
            || expected("add, subtract, multiply, divide, min or max", packet),
            |(_, _, operation)| Ok(*operation),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_mean_the_same() {
        let read = |text| Operation::read(&Packet::text(text));
        assert_eq!(read(" + ").unwrap(), Operation::Add);
        assert_eq!(read("divide").unwrap(), Operation::Divide);
        assert!(read("").is_err());
        let fault = read("mean").unwrap_err();
        assert_eq!(
            fault.message(),
            "expected add, subtract, multiply, divide, min or max, got \"mean\""
        );
    }
}
