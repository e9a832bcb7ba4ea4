use paperflow_core::{Fault, In, Out, Packet, Param, component};
use serde_json::{Map, Value as Json};

use crate::sink::Sink;

/// Writes records as rows of comma-separated values.
///
/// The fields of the first record are the columns, and the first row names them. A field that a later
/// record lacks is left empty, as null is; one that the first record had not is a fault, because it
/// would be lost. Texts are written as they are, arrays and objects as JSON. A file holds data:
/// brackets are passed on and leave no row. The file is made even when no packet comes, and replaced
/// before. When OUT is connected a record is passed on once it has been written.
///
/// A file that cannot be written is a fault that names it. A closed pipe is none: the process ends.
#[component("file/write-csv", work = thread, must_run, renews)]
#[example(input = [{ "dish": "Korma" }], destination = "/dev/null", out = [{ "dish": "Korma" }])]
pub(super) async fn write_csv(
    /// Records that are JSON objects.
    input: In<Packet>,
    /// The file to write; `-` is standard output.
    destination: Param<String>,
    /// Every packet, written.
    #[optional]
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut sink = Sink::open(&destination, false)?;
    let mut columns = Columns::default();
    while let Some(packet) = sink.next(&input, &out).await? {
        if !packet.is_bracket() {
            match columns.rows(&packet) {
                Ok(rows) => sink.raw(&rows)?,
                Err(why) => {
                    let fault = sink.blame(&why);
                    return Err(sink.fails(fault, &out).await);
                }
            }
        }
        sink.done(packet, &out).await?;
    }
    sink.write_out(&out).await
}

/// The names in the first row, once it has been written.
#[derive(Default)]
struct Columns(Option<Vec<String>>);

impl Columns {
    /// The row of a record, with the row of names before the first one.
    fn rows(&mut self, packet: &Packet) -> Result<Vec<u8>, String> {
        let Some(record) = packet.as_record().and_then(Json::as_object) else {
            return Err(format!(
                "expected a record with fields, got {} {packet:?}",
                packet.kind().word()
            ));
        };
        let mut rows = Vec::new();
        let names = match &self.0 {
            Some(names) => names,
            None => {
                let names: Vec<String> = record.keys().cloned().collect();
                rows = row(&names)?;
                self.0.insert(names)
            }
        };
        if let Some(name) = record.keys().find(|name| !names.contains(name)) {
            return Err(format!("field {name:?} is not in the first record"));
        }
        rows.extend(row(&cells(names, record))?);
        Ok(rows)
    }
}

fn cells(names: &[String], record: &Map<String, Json>) -> Vec<String> {
    let cell = |name| match record.get(name) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    names.iter().map(cell).collect()
}

fn row(cells: &[String]) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new()
        .buffer_capacity(256)
        .from_writer(Vec::new());
    writer
        .write_record(cells)
        .map_err(|error| error.to_string())?;
    writer.into_inner().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(records: impl IntoIterator<Item = Json>) -> Result<String, String> {
        let mut columns = Columns::default();
        let rows = records
            .into_iter()
            .map(|record| columns.rows(&Packet::record(record)));
        rows.collect::<Result<Vec<_>, _>>()
            .map(|rows| String::from_utf8(rows.concat()).unwrap())
    }

    #[test]
    fn the_first_record_names_the_columns() {
        let written = rows([
            json!({"b": "x, \"y\"", "a": 1}),
            json!({"a": [1, 2]}),
            json!({"a": null, "b": "two\nlines"}),
        ]);
        assert_eq!(
            written.unwrap(),
            "b,a\n\"x, \"\"y\"\"\",1\n,\"[1,2]\"\n\"two\nlines\",\n"
        );
    }

    #[test]
    fn nothing_is_lost_in_silence() {
        let wrong = rows([json!({"a": 1}), json!({"b": 2})]).unwrap_err();
        assert_eq!(wrong, "field \"b\" is not in the first record");
        assert_eq!(
            rows([json!([1])]).unwrap_err(),
            "expected a record with fields, got record [1]"
        );
    }
}
