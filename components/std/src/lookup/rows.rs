use std::collections::HashMap;

use paperflow_core::{Fault, Kind, Packet};
use serde_json::Value as Json;

use crate::param::Field;
use crate::payload;

/// Rows by their key; of several with one key the last.
pub(super) struct Rows {
    key: Field,
    rows: HashMap<String, Json>,
}

impl Rows {
    pub(super) fn new(key: Field) -> Self {
        Self {
            key,
            rows: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, row: Json) -> Result<(), Fault> {
        let key = self.key.get(&row)?.to_string();
        self.rows.insert(key, row);
        Ok(())
    }

    pub(super) fn find(&self, key: &Json) -> Option<&Json> {
        self.rows.get(&key.to_string())
    }
}

/// The rows in a packet: one row, an array of rows, or a text with either as JSON. Brackets have none.
pub(super) fn rows(packet: &Packet) -> Result<Vec<Json>, Fault> {
    let json = match packet.kind() {
        Kind::Open | Kind::Close => return Ok(Vec::new()),
        Kind::Text => parsed(payload::text(packet)?)?,
        _ => payload::record(packet)?.clone(),
    };
    Ok(match json {
        Json::Array(rows) => rows,
        row => vec![row],
    })
}

fn parsed(text: &str) -> Result<Json, Fault> {
    serde_json::from_str(text)
        .map_err(|error| Fault::new(format!("expected rows as JSON: {error}")))
}

/// The fields of an item and those of its row, which win.
pub(super) fn joined(item: &Json, row: &Json) -> Result<Json, Fault> {
    let mut fields = payload::fields(item.clone())?;
    fields.extend(payload::fields(row.clone())?);
    Ok(Json::Object(fields))
}

/// The fault of an item without a row, when nobody wants to know.
pub(super) fn missing(key: &Json) -> Fault {
    Fault::new(format!("there is no row for {key}"))
}
