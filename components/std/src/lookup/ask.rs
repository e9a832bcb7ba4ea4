use std::hash::{BuildHasher as _, RandomState};

use paperflow_core::headers::names::CORRELATION_ID;
use paperflow_core::{Fault, In, Kind, Out, Packet, Param, component};
use serde_json::Value as Json;

use super::rows::{joined, missing as without_row};
use crate::param::Field;
use crate::payload;

/// Looks up what belongs to each item by asking another process, and waits for each answer.
///
/// The key leaves by LOOKUP, the answer comes at RESULT: one row for each key, or null when there is
/// none. The item leaves with the fields of its row added, which win over its own; without a row it
/// leaves by MISSING if that is connected, and is a fault else. Brackets go along.
///
/// Each key has a `correlation-id`, that of its item or else one of its own, and a header `question` that no other
/// key has; a process of a network hands them on with its answer. An answer with another one is not for this key,
/// as when a question was asked again after a crash, and is dropped.
///
/// One item is under way at a time, so that every item costs a trip there and back: the walk of
/// shame. Where a copy of the rows can be had, `lookup/table` needs no trips.
#[component("lookup/ask", work = compute, reads = in_step)]
#[example(
    input = [{"id": 7, "number": 2}],
    result = [{"id": 7, "name": "Margherita"}],
    lookup = [7],
    out = [{"id": 7, "number": 2, "name": "Margherita"}]
)]
#[example(input = [{"id": 8}], result = [null], out = [], missing = [{"id": 8}])]
pub(crate) async fn ask(
    /// Records.
    input: In<Packet>,
    /// The rows, one for each key.
    result: In<Packet>,
    /// The field of an item that holds the key.
    #[default("id")]
    field: Param<Field>,
    /// The keys.
    #[afresh]
    lookup: Out<Packet>,
    /// The items, with their rows.
    out: Out<Packet>,
    /// Items that have no row.
    #[optional]
    missing: Out<Packet>,
) -> Result<(), Fault> {
    // Whoever is killed and begins again must not take old answers for new ones.
    let life = RandomState::new().hash_one("ask");
    let mut asked: u64 = 0;
    while let Some(item) = input.next().await {
        if item.is_bracket() {
            out.send(item).await?;
            continue;
        }
        let record = payload::record(&item)?;
        let key = field.get(record)?;
        asked += 1;
        let question = format!("{life:x}-{asked}");
        let about = header(&item, CORRELATION_ID).unwrap_or(&question);
        match answer(&lookup, &result, (key, &question, about)).await? {
            Some(row) => {
                let row = Packet::record(joined(record, &row)?);
                out.send(item.with_payload(&row)).await?;
            }
            None if missing.is_connected() => drop(missing.send(item).await),
            None => return Err(without_row(key)),
        }
    }
    Ok(())
}

/// Which question an answer is for, where answers come with all headers of their questions.
const QUESTION: &str = "question";

fn header<'a>(packet: &'a Packet, name: &str) -> Option<&'a str> {
    packet.headers()?.get(name)
}

/// The way there and back.
async fn answer(
    lookup: &Out<Packet>,
    result: &In<Packet>,
    (key, question, about): (&Json, &str, &str),
) -> Result<Option<Json>, Fault> {
    let gone = || Fault::new(format!("nobody answers any more, and {key} was asked for"));
    let packet = Packet::json(key.clone()).with_header(CORRELATION_ID, about);
    let asked = lookup.send(packet.with_header(QUESTION, question)).await;
    asked.map_err(|_| gone())?;
    loop {
        let row = result.next().await.ok_or_else(gone)?;
        let is_other = match header(&row, QUESTION) {
            Some(other) => other != question,
            None => header(&row, CORRELATION_ID).is_some_and(|other| other != about),
        };
        if is_other {
            continue;
        }
        return match row.kind() {
            Kind::Null => Ok(None),
            _ => payload::record(&row).cloned().map(Some),
        };
    }
}
