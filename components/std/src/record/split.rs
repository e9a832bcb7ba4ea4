use paperflow_core::{Fault, Out, Packet, Param, component};

use crate::datum::Datum;
use crate::param::{Condition, Field};
use crate::payload;

/// Separates records by a test of one field.
///
/// TEST is `=`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `starts-with` or `ends-with` and a value, or
/// `exists` or `missing`. A record without the field passes only `missing`. The packets themselves are
/// sent on; brackets go both ways.
#[component("record/split", work = compute, sends = by_choice)]
#[example(
    field = "price",
    test = "> 10",
    input = [{"price": 12}, {"price": 10}, {"name": "x"}],
    acc = [{"price": 12}],
    rej = [{"price": 10}, {"name": "x"}]
)]
pub(crate) fn split(
    /// Records.
    input: Packet,
    /// The field, such as `price` or `customer.name`.
    field: &Param<Field>,
    /// The test, such as `> 10`.
    test: &Param<Condition>,
    /// Records that pass it.
    acc: &mut Out<Packet>,
    /// Records that do not.
    #[optional]
    rej: &mut Out<Packet>,
) -> Result<(), Fault> {
    let holds = test.holds(field.find(payload::record(&input)?).map(Datum::from));
    payload::divide(holds, input, acc, rej);
    Ok(())
}
