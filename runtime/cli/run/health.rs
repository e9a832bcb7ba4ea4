//! Whether the network lives and is ready, for whoever asks over HTTP: `/live` and `/ready`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Duration;

use paperflow_engine::{Observer, Running};

use crate::cli::exit::Failure;

/// How long somebody may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// No question is longer.
const LONGEST: u64 = 8 * 1024;

/// The place where it can be asked, if there is to be one.
pub(super) fn listen(address: Option<&str>) -> Result<Option<TcpListener>, Failure> {
    let listen = |address| {
        TcpListener::bind(address)
            .map_err(|error| Failure::misuse(format!("cannot answer at {address}: {error}"), None))
    };
    address.map(listen).transpose()
}

/// Answers until the program ends.
pub(super) fn answer(listener: Option<TcpListener>, running: &Running) {
    let Some(listener) = listener else { return };
    let observer = running.observer();
    let serve = move || {
        // One after the other: whoever does not finish in time is left.
        for asked in listener.incoming().flatten() {
            // Whoever asked may have hung up.
            drop(reply(&asked, &observer));
        }
    };
    drop(
        thread::Builder::new()
            .name(String::from("health"))
            .spawn(serve),
    );
}

fn reply(mut asked: &TcpStream, observer: &Observer) -> io::Result<()> {
    asked.set_read_timeout(Some(PATIENCE))?;
    asked.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(asked.take(LONGEST)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    // Whoever hangs up before all has been read may not hear the answer.
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let (status, text) = told(&first, observer);
    let length = text.len();
    write!(
        asked,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

fn told(line: &str, observer: &Observer) -> (&'static str, String) {
    let mut words = line.split(' ');
    let (method, path) = (words.next(), words.next());
    match (method, path.and_then(|path| path.split('?').next())) {
        (Some("GET"), Some("/live")) => ("200 OK", String::from("alive\n")),
        (Some("GET"), Some("/ready")) => match observer.unready() {
            unready if unready.is_empty() => ("200 OK", String::from("ready\n")),
            unready => ("503 Service Unavailable", unready.join("\n") + "\n"),
        },
        (Some("GET"), _) => ("404 Not Found", String::from("/live or /ready\n")),
        _ => ("405 Method Not Allowed", String::from("ask with GET\n")),
    }
}

/// Asks a network how it is: whether all is well, and what it says.
pub(crate) fn ask(address: &str, path: &str) -> io::Result<(bool, String)> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "no such host");
    let place = address.to_socket_addrs()?.next().ok_or_else(missing)?;
    let mut stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    let is_well = answer.starts_with("HTTP/1.1 200 ");
    let text = answer.split_once("\r\n\r\n").map(|(_, text)| text);
    Ok((is_well, text.unwrap_or_default().to_owned()))
}
