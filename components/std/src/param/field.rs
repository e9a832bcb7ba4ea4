pub(crate) use paperflow_core::Field;
use paperflow_core::{Fault, Packet, Parameter};

use super::expected;

/// Several fields, with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) Vec<Field>);

impl Parameter for Fields {
    const PARSES: &'static str = "text";

    fn read(packet: &Packet) -> Result<Self, Fault> {
        let text = packet.to_string();
        let fields: Option<Vec<Field>> = text.split(',').map(Field::parse).collect();
        fields.map_or_else(
            || expected("fields such as name, customer.name", packet),
            |all| Ok(Self(all)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_step_is_no_field() {
        assert!(Fields::read(&Packet::text("a,,b")).is_err());
        let fields = Fields::read(&Packet::text("a, b.c")).unwrap().0;
        let names: Vec<String> = fields.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "b.c"]);
    }
}
