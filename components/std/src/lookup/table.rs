use std::pin::pin;
use std::time::Duration;

use paperflow_core::headers::names;
use paperflow_core::{
    Either, Fault, Got, In, IntoPort, Moment, Out, Packet, Param, Timer, component, select,
};
use serde_json::Value as Json;

use super::rows::{Rows, joined, missing as without_row, rows as rows_of};
use crate::param::Field;
use crate::payload;

/// Looks up what belongs to each item in a table of its own, which it builds from ROWS.
///
/// ROWS are records, arrays of records, or texts with either as JSON; each is the whole row and
/// replaces an earlier one with the same key. They are read as they come, before items and while an
/// item waits to leave.
///
/// The item leaves with the fields of its row added, which win over its own. An item whose row is not
/// there yet is held until the row comes, and those behind it wait: the order stays, and as long as
/// no row is replaced the results do not depend on who is faster. When ROWS has ended, an item
/// without a row leaves by MISSING if that is connected, and is a fault else. Brackets go along. It
/// ends with IN, whether or not more rows would come.
///
/// The table is in memory: after a crash it has only the rows that come again, and a store does not give again what
/// was handled.
///
/// STALENESS tells how old the table is whenever a row is used: the age of its newest row, in
/// milliseconds. A row was made when its field TIME says, or else its header `time`, both in
/// milliseconds since the start of 1970; one that has neither when it came.
#[component("lookup/table", work = compute, forgets)]
#[example(
    rows = [{"id": 7, "name": "Margherita"}],
    input = [{"id": 7, "number": 2}, {"id": 8}],
    out = [{"id": 7, "number": 2, "name": "Margherita"}],
    missing = [{"id": 8}],
    staleness = [0]
)]
pub(crate) async fn table(
    /// Records.
    input: In<Packet>,
    /// What the table is made of.
    rows: In<Packet>,
    /// The field of an item that holds the key.
    #[default("id")]
    field: Param<Field>,
    /// The field of a row that holds the key, if it is another.
    key: Param<Option<Field>>,
    /// The field of a row that tells when it was made.
    time: Param<Option<Field>>,
    /// The clock.
    timer: Timer,
    /// The items, with their rows.
    out: Out<Packet>,
    /// Items that have no row.
    #[optional]
    missing: Out<Packet>,
    /// The age of the table, for each row that is used.
    #[optional]
    staleness: Out<i64>,
) -> Result<(), Fault> {
    let key = key.into_inner().unwrap_or_else(|| Field::clone(&field));
    let mut table = Table {
        input,
        rows,
        known: Rows::new(key),
        time: time.into_inner(),
        newest: Moment::ZERO,
        timer,
        out,
    };
    while let Some(item) = table.item().await? {
        if item.is_bracket() {
            table.send(item).await?;
            continue;
        }
        let record = payload::record(&item)?;
        let key = field.get(record)?;
        match table.row(key).await? {
            Some(row) => {
                let (row, age) = (joined(record, row)?, table.age());
                table.send(item.with_payload(&Packet::record(row))).await?;
                drop(staleness.send(age).await);
            }
            None if missing.is_connected() => drop(missing.send(item).await),
            None => return Err(without_row(key)),
        }
    }
    Ok(())
}

struct Table {
    input: In<Packet>,
    rows: In<Packet>,
    known: Rows,
    time: Option<Field>,
    newest: Moment,
    timer: Timer,
    out: Out<Packet>,
}

impl Table {
    /// The next item, after the rows that are there.
    async fn item(&mut self) -> Result<Option<Got<Packet>>, Fault> {
        loop {
            let item = async { Some(self.input.next().await) };
            match select(self.rows.next(), item).await {
                Some(Either::Left(packet)) => self.learn(&packet)?,
                Some(Either::Right(item)) => return Ok(item),
                None => return Ok(None),
            }
        }
    }

    /// The row of a key; waits while it may still come.
    async fn row(&mut self, key: &Json) -> Result<Option<&Json>, Fault> {
        while self.known.find(key).is_none()
            && let Some(packet) = self.rows.next().await
        {
            self.learn(&packet)?;
        }
        Ok(self.known.find(key))
    }

    async fn send(&mut self, packet: impl IntoPort<Packet>) -> Result<(), Fault> {
        let mut sending = pin!(self.out.send(packet));
        loop {
            let sent = async { Some(sending.as_mut().await) };
            match select(self.rows.next(), sent).await {
                Some(Either::Left(packet)) => self.learn(&packet)?,
                Some(Either::Right(sent)) => return Ok(sent?),
                None => return Ok(()),
            }
        }
    }

    fn learn(&mut self, packet: &Packet) -> Result<(), Fault> {
        let header = packet
            .headers()
            .and_then(|headers| headers.get(names::TIME));
        let stamp = header.and_then(|text| text.parse().ok());
        for row in rows_of(packet)? {
            let field = self.time.as_ref().and_then(|field| field.find(&row));
            let made = field.and_then(Json::as_u64).or(stamp);
            let made = made.map_or_else(|| self.timer.now(), Duration::from_millis);
            self.newest = self.newest.max(made);
            self.known.add(row)?;
        }
        Ok(())
    }

    /// How old the newest row is, in milliseconds.
    fn age(&self) -> i64 {
        let age = self.timer.now().saturating_sub(self.newest);
        i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
    }
}
