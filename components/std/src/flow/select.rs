use paperflow_core::{Out, Packet, Param, component};

use crate::datum::Datum;
use crate::param::Condition;
use crate::payload;

/// Separates packets by a test of their value.
///
/// TEST is `=`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `starts-with` or `ends-with` and a value. Texts
/// are compared with the value as it is written, numbers with the number it is. Brackets go both ways.
#[component("flow/select", work = compute, sends = by_choice)]
#[example(test = ">= 10", input = [9, 10, -11.5], acc = [10], rej = [9, -11.5])]
#[example(test = "contains ö", input = ["schön", "rot"], acc = ["schön"], rej = ["rot"])]
pub(crate) fn select(
    /// Anything.
    input: Packet,
    /// The test, such as `>= 10`.
    test: &Param<Condition>,
    /// What passes the test.
    acc: &mut Out<Packet>,
    /// What does not.
    #[optional]
    rej: &mut Out<Packet>,
) {
    let holds = test.holds(Some(Datum::from(&input)));
    payload::divide(holds, input, acc, rej);
}
