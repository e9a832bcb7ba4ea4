use paperflow_core::headers::names;
use paperflow_core::{Fault, Headers, Out, Packet, Param, Record, component};
use serde_json::Value as Json;

use crate::source::Lines;

/// Reads a file of JSON lines into records.
///
/// Blank lines are skipped. A line that is not JSON goes to ERROR as text, with what is wrong in the
/// header `error`, and reading goes on; when ERROR is not connected it is a fault that names file,
/// line and column. What is wrong with the file itself is always a fault, as in `file/lines`.
#[component("file/json-lines", work = thread, repeats)]
pub(super) async fn json_lines(
    /// The file to read; `-` is standard input.
    source: Param<String>,
    /// One record per line, in order.
    out: Out<Record>,
    /// Lines that are not JSON, with the header `error`.
    #[optional]
    error: Out<Packet>,
) -> Result<(), Fault> {
    let mut lines = Lines::open(&source)?;
    while let Some(line) = lines.next()? {
        if line.trim().is_empty() {
            continue;
        }
        match parse(&line).map_err(|why| lines.blame(why)) {
            Ok(value) => out.send(Record::new(value)).await?,
            Err(fault) if !error.is_connected() => return Err(fault),
            Err(fault) => error.send(rejected(line, &fault)).await?,
        }
    }
    Ok(())
}

fn parse(line: &str) -> Result<Json, String> {
    serde_json::from_str(line).map_err(|error| {
        let (why, column) = (error.to_string(), error.column());
        let why = why.split(" at line ").next().unwrap_or_default();
        format!("column {column}: {why}")
    })
}

fn rejected(line: String, fault: &Fault) -> Packet {
    let mut headers = Headers::default();
    headers.set(names::ERROR, fault.message());
    Packet::text(line).with_headers(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_its_column() {
        assert_eq!(
            parse("{\"b\":1,\"a\":2}").unwrap().to_string(),
            "{\"b\":1,\"a\":2}"
        );
        assert_eq!(parse("{\"a\" 1}").unwrap_err(), "column 6: expected `:`");
        assert_eq!(parse("1 2").unwrap_err(), "column 3: trailing characters");
    }
}
