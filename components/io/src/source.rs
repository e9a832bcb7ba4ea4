//! Where lines come from: a file, standard input, the output of a child process.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use paperflow_core::{Fault, outside};

/// How standard input is called in a fault.
const STDIN: &str = "standard input";
const BOM: &[u8] = b"\xEF\xBB\xBF";
const BUFFER: usize = 64 * 1024;
/// Longer texts do not fit one packet.
const LONGEST: usize = u32::MAX as usize;

/// A reader that may wait for the world, such as a pipe or a terminal.
pub(crate) struct World(Box<dyn Read + Send>);

impl Read for World {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        outside(|| self.0.read(buffer))
    }
}

/// Opens a file; `-` is standard input.
pub(crate) fn open(path: &str) -> Result<World, Fault> {
    if path == "-" {
        return Ok(World(Box::new(io::stdin())));
    }
    let file = outside(|| File::open(path)).map_err(|error| cannot_read(path, error))?;
    Ok(World(Box::new(file)))
}

/// What a source is called in a fault.
pub(crate) fn name(path: &str) -> String {
    String::from(if path == "-" { STDIN } else { path })
}

/// The fault of a source that cannot be read, or of what is wrong in it.
pub(crate) fn cannot_read(name: &str, why: impl Display) -> Fault {
    Fault::new(format!("cannot read {name}: {why}"))
}

/// Bytes as the text of one packet; `line` counts from 1 at their start.
pub(crate) fn text(name: &str, line: u64, bytes: Vec<u8>) -> Result<String, Fault> {
    if bytes.len() >= LONGEST {
        return Err(cannot_read(
            name,
            format_args!("the text from line {line} on is too long for a packet"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = line + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        cannot_read(name, format_args!("line {line} is not valid UTF-8"))
    })
}

/// Without the byte order mark that some editors put in front.
pub(crate) fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(BOM) {
        bytes.drain(..BOM.len());
    }
    bytes
}

/// A text line by line: ends with `\n`, `\r\n` or the end of the file.
pub(crate) struct Lines<R> {
    name: String,
    reader: BufReader<R>,
    number: u64,
}

impl Lines<World> {
    /// The lines of a file; `-` is standard input.
    pub(crate) fn open(path: &str) -> Result<Self, Fault> {
        Ok(Self::new(name(path), open(path)?))
    }
}

impl<R: Read> Lines<R> {
    /// The lines of a reader that has a name for people.
    pub(crate) fn new(name: String, reader: R) -> Self {
        Self {
            name,
            reader: BufReader::with_capacity(BUFFER, reader),
            number: 0,
        }
    }

    /// The next line without its end.
    pub(crate) fn next(&mut self) -> Result<Option<String>, Fault> {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line);
        if read.map_err(|error| cannot_read(&self.name, error))? == 0 {
            return Ok(None);
        }
        self.number += 1;
        cut_end(&mut line);
        if self.number == 1 {
            line = without_mark(line);
        }
        text(&self.name, self.number, line).map(Some)
    }

    /// What is wrong with the line that was read last.
    pub(crate) fn blame(&self, why: impl Display) -> Fault {
        cannot_read(&self.name, format_args!("line {}: {why}", self.number))
    }
}

fn cut_end(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(String::from("it"), bytes);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn a_line_ends_with_either_end_or_with_the_file() {
        assert_eq!(lines(b"a\nb\r\nc"), ["a", "b", "c"]);
        assert_eq!(lines(b"a\n\r\n\nb\n"), ["a", "", "", "b"]);
        assert_eq!(
            lines(b"a\rb\r"),
            ["a\rb\r"],
            "a lone carriage return is data"
        );
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_byte_order_mark_is_no_data() {
        assert_eq!(lines(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb"), ["a", "\u{feff}b"]);
    }

    #[test]
    fn a_huge_line_is_one_line() {
        let mut bytes = vec![b'x'; 3_000_000];
        bytes.extend(b"\nend");
        let lines = lines(&bytes);
        assert_eq!((lines.len(), lines[0].len()), (2, 3_000_000));
    }

    #[test]
    fn bad_bytes_are_a_fault_with_name_and_line() {
        let mut lines = Lines::new(String::from("it"), &b"fine\n\xFF\n"[..]);
        assert_eq!(lines.next().unwrap().as_deref(), Some("fine"));
        assert_eq!(
            lines.next().unwrap_err().message(),
            "cannot read it: line 2 is not valid UTF-8"
        );
        let fault = text("it", 1, b"one\ntwo\nthr\xFFe".to_vec()).unwrap_err();
        assert_eq!(fault.message(), "cannot read it: line 3 is not valid UTF-8");
    }
}
