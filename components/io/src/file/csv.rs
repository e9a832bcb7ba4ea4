use ::csv::{Reader, StringRecord};
use paperflow_core::{Fault, Out, Param, Record, component};
use serde_json::{Map, Value as Json};

use crate::source::{self, World, cannot_read};

/// Reads a file of comma-separated values into records.
///
/// The first row names the fields. Every value is text; with TYPED, what is written as a number in
/// JSON, blanks around it or not, becomes a number, `true` and `false` become truth values, and the
/// rest stays text: so does `007`, and a whole number that does not fit 64 bits. A row with more or
/// fewer fields than the first one, a field name given twice, or bytes that are not UTF-8 are faults
/// that name file and line.
#[component("file/csv", work = thread, repeats)]
pub(super) async fn csv(
    /// The file to read; `-` is standard input.
    source: Param<String>,
    /// Whether numbers and truth values become what they look like.
    #[default("false")]
    typed: Param<bool>,
    /// One record per row, in order.
    out: Out<Record>,
) -> Result<(), Fault> {
    let mut table = Table::open(&source, *typed)?;
    while let Some(record) = table.next()? {
        out.send(Record::new(record)).await?;
    }
    Ok(())
}

struct Table<R> {
    name: String,
    reader: Reader<R>,
    fields: StringRecord,
    typed: bool,
    row: StringRecord,
}

impl Table<World> {
    fn open(path: &str, typed: bool) -> Result<Self, Fault> {
        Self::new(source::name(path), source::open(path)?, typed)
    }
}

impl<R: std::io::Read> Table<R> {
    fn new(name: String, reader: R, typed: bool) -> Result<Self, Fault> {
        let mut reader = Reader::from_reader(reader);
        let fields = reader
            .headers()
            .map_err(|error| cannot_read(&name, error))?
            .clone();
        if let Some(field) = twice(&fields) {
            return Err(cannot_read(
                &name,
                format_args!("line 1 names two fields {field:?}"),
            ));
        }
        Ok(Self {
            name,
            reader,
            fields,
            typed,
            row: StringRecord::new(),
        })
    }

    fn next(&mut self) -> Result<Option<Json>, Fault> {
        let more = self.reader.read_record(&mut self.row);
        if !more.map_err(|error| cannot_read(&self.name, error))? {
            return Ok(None);
        }
        let value = if self.typed { guess } else { plain };
        let pairs = self.fields.iter().zip(&self.row);
        let record: Map<String, Json> = pairs
            .map(|(field, text)| (field.to_owned(), value(text)))
            .collect();
        Ok(Some(Json::Object(record)))
    }
}

fn twice(fields: &StringRecord) -> Option<&str> {
    let seen = |at: usize, field: &str| fields.iter().take(at).any(|earlier| earlier == field);
    fields
        .iter()
        .enumerate()
        .find(|(at, field)| seen(*at, field))
        .map(|(_, field)| field)
}

fn plain(text: &str) -> Json {
    Json::from(text)
}

fn guess(text: &str) -> Json {
    let is_whole = text
        .trim()
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    match serde_json::from_str(text) {
        Ok(Json::Bool(value)) => Json::Bool(value),
        Ok(Json::Number(number)) if number.is_i64() || !is_whole => Json::Number(number),
        _ => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, typed: bool) -> Result<Vec<String>, Fault> {
        let mut table = Table::new(String::from("it"), text.as_bytes(), typed)?;
        std::iter::from_fn(|| table.next().transpose())
            .map(|row| row.map(|row| row.to_string()))
            .collect()
    }

    #[test]
    fn the_first_row_names_the_fields_in_order() {
        let rows = read("b,a\r\n1,\"x, \"\"y\"\"\"\r\n,2", false).unwrap();
        assert_eq!(rows, [r#"{"b":"1","a":"x, \"y\""}"#, r#"{"b":"","a":"2"}"#]);
        assert!(read("", false).unwrap().is_empty());
        assert!(read("a,b\n", false).unwrap().is_empty());
    }

    #[test]
    fn typed_values_are_what_they_look_like_when_nothing_is_lost() {
        let rows = read(
            "a\n-7\n0.50\n007\ntrue\n 1 \n 12345678901234567890\nnull\n1e3\n",
            true,
        )
        .unwrap();
        let values = [
            "-7",
            "0.5",
            "\"007\"",
            "true",
            "1",
            "\" 12345678901234567890\"",
            "\"null\"",
            "1000.0",
        ];
        assert_eq!(rows, values.map(|value| format!("{{\"a\":{value}}}")));
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let message = |text| read(text, false).unwrap_err().message().to_owned();
        assert_eq!(
            message("a,b,a\n"),
            "cannot read it: line 1 names two fields \"a\""
        );
        let short = message("a,b\n1,2\n3\n");
        assert!(
            short.starts_with("cannot read it: ") && short.contains("line: 3"),
            "{short}"
        );
    }
}
