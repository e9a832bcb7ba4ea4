use std::time::Duration;

use paperflow_core::{Fault, In, Out, Packet, Param, Timer, component};

use super::rows::{Rows, rows as rows_of};
use crate::param::Field;

/// Stands in for a slow service: answers each key with its row, after a while.
///
/// First it reads all ROWS: records, arrays of records, or texts with either as JSON, so that an
/// initial packet can hold them. Of several rows with one key the last is kept. Then each key at IN
/// is answered after INTERVAL, one after the other: with its row, or with null when there is none.
/// Brackets go along at once. The rows are in memory: after a crash it knows only those that come again, and a store
/// does not give again what was handled.
#[component("lookup/remote", work = compute, forgets, reads = to_end)]
#[example(
    interval = "5ms",
    rows = [{"id": 7, "name": "Margherita"}],
    input = [7, 8],
    out = [{"id": 7, "name": "Margherita"}, null]
)]
pub(crate) async fn remote(
    /// All it knows.
    rows: In<Packet>,
    /// Keys.
    input: In<Packet>,
    /// The field of a row that holds the key.
    #[default("id")]
    field: Param<Field>,
    /// How long an answer takes, such as `50ms`.
    #[default("50ms")]
    interval: Param<Duration>,
    /// The clock.
    timer: Timer,
    /// Rows, one for each key.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut known = Rows::new(field.into_inner());
    while let Some(packet) = rows.next().await {
        for row in rows_of(&packet)? {
            known.add(row)?;
        }
    }
    while let Some(key) = input.next().await {
        if key.is_bracket() {
            out.send(key).await?;
            continue;
        }
        timer.sleep(*interval).await;
        let row = known.find(&key.to_json()).cloned();
        out.send(Packet::json(row.unwrap_or_default())).await?;
    }
    Ok(())
}
