//! What handles the numbered packets of the ledger, and can be told to fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

use paperflow::{Catalogue, Fault, In, Out, Packet, Param, Table, Text, component};

/// Lines that are written between two times that a file is made safe.
const UNSAFE: u64 = 256;

pub(crate) fn catalogue(standard: Catalogue) -> Catalogue {
    standard.with(decode).with(handle).with(count)
}

/// Reads the number of a text of `flow/generate`.
#[component("ledger/decode", work = compute)]
pub(crate) fn decode(
    /// Texts that begin with a number.
    input: Packet,
    /// Every so many numbers cannot be read; 0 for none.
    #[default(0)]
    invalid: &Param<i64>,
    /// The same texts, with their headers.
    out: &mut Out<Packet>,
) -> Result<(), Fault> {
    let number = number(input.as_text().unwrap_or_default())?;
    if is_every(number, **invalid) {
        return Err(Fault::new("this cannot be read").invalid());
    }
    out.put(input);
    Ok(())
}

/// Handles each number: has an effect outside, counts it in a table, and passes it on.
#[component("ledger/handle", work = thread)]
pub(crate) fn handle(
    /// Texts that begin with a number.
    input: Packet,
    /// How often each was handled.
    handled: &mut Table<i64, i64>,
    /// The file that shows the effects: a line for each call, with the number and the delivery.
    effects: &Param<String>,
    /// Every so many numbers fail at their first delivery; 0 for none.
    #[default(0)]
    fails: &Param<i64>,
    /// Every so many numbers fail always; 0 for none.
    #[default(0)]
    poison: &Param<i64>,
    /// Milliseconds that each call takes.
    #[default(0)]
    pause: &Param<i64>,
    /// The numbers.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    let number = number(input.as_text().unwrap_or_default())?;
    let attempt = input.headers().and_then(|headers| headers.get("attempt"));
    let attempt = attempt.unwrap_or("1");
    append(effects)?.write_all(format!("{number} {attempt}\n").as_bytes())?;
    sleep(Duration::from_millis(pause.unsigned_abs()));
    if is_every(number, **poison) || (is_every(number, **fails) && attempt == "1") {
        return Err(Fault::new("no luck with this one"));
    }
    handled.put(number, handled.get(&number).unwrap_or(0) + 1);
    out.put(number.to_string());
    Ok(())
}

/// Counts each text in a table, and writes into a file how often it has come.
#[component("ledger/count", work = thread)]
pub(crate) async fn count(
    /// Texts.
    input: In<Text>,
    /// How often each has come.
    mut seen: Table<String, i64>,
    /// The file: a line for each text, with how often it has come.
    file: Param<String>,
    /// The texts.
    #[optional]
    out: Out<Text>,
) -> Result<(), Fault> {
    let mut file = append(&file)?;
    let mut lines = 0;
    while let Some(text) = input.next().await {
        let times = seen.get(text.as_str()).unwrap_or(0) + 1;
        seen.put(text.to_string(), times);
        file.write_all(format!("{} {times}\n", text.as_str()).as_bytes())?;
        lines += 1;
        if lines % UNSAFE == 0 {
            file.sync_data()?;
        }
        out.send(text).await?;
    }
    file.sync_data()?;
    Ok(())
}

fn append(path: &str) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn number(text: &str) -> Result<i64, Fault> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unread = |_| Fault::new("this is no number").invalid();
    digits.parse().map_err(unread)
}

const fn is_every(number: i64, interval: i64) -> bool {
    interval > 0 && number % interval == 0
}
