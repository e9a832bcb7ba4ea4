use paperflow_core::{Fault, Ins, Out, Record, component};
use serde_json::{Map, Value as Json};

use crate::payload;

/// Merges the fields of records, taking one record from each stream at a time.
///
/// Where two have a field of the same name, the one from the higher element wins. It ends with the
/// shortest stream. Brackets are a fault.
#[component("record/merge", work = compute, reads = in_step)]
#[example(
    inputs[0] = [{"id": 1, "a": 1}, {"id": 2}],
    inputs[1] = [{"a": 2, "b": 3}],
    out = [{"id": 1, "a": 2, "b": 3}]
)]
pub(crate) async fn merge(
    /// The streams of records.
    inputs: Ins<Record>,
    /// The merged records.
    out: Out<Record>,
) -> Result<(), Fault> {
    loop {
        let mut merged = Map::new();
        for port in inputs.iter() {
            let Some(record) = port.next().await else {
                return Ok(());
            };
            merged.extend(payload::fields(record.into_inner().into_json())?);
        }
        if inputs.is_empty() {
            return Ok(());
        }
        out.send(Json::Object(merged)).await?;
    }
}
