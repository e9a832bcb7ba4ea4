//! Real brokers for tests; `README.md` beside this says where they come from.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// All that there can be.
pub(crate) const NAMES: [&str; 5] = ["redis", "nats", "mqtt", "amqp", "kafka"];

/// Where the broker of this name is, for every test of this machine. When there is none, that is said aloud and the
/// test has nothing to do; with `CI=true` it fails.
pub(crate) fn url(name: &str) -> Option<String> {
    static KNOWN: Mutex<BTreeMap<String, Option<String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(url) = known.get(name) {
        return url.clone();
    }
    let url = up(name, &[]).map(|broker| broker.url);
    known.insert(name.to_owned(), url.clone());
    url
}

/// A name at a broker that no other test has.
pub(crate) fn own(name: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let (process, made) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    format!("{name}-{process}-{made}")
}

/// The URL for a program that keeps something at a broker, under names that no other test has. Settings may
/// follow, each behind a `&`.
pub(crate) fn corner(url: &str, name: &str) -> String {
    let scheme = if url.contains("://") { "" } else { "kafka://" };
    format!("{scheme}{url}?prefix={}-", own(name))
}

/// A broker of the test's own, which it may kill. It is gone when this is dropped.
pub(crate) struct Private {
    name: String,
    broker: Broker,
}

impl Private {
    pub(crate) fn new(name: &str) -> Option<Self> {
        Self::of(name, up(name, &["--private"]))
    }

    /// A Kafka that sends its clients to another place than its own, as `HOST:PORT`.
    pub(crate) fn behind(place: &str) -> Option<Self> {
        let told = [("PAPERFLOW_TEST_KAFKA_ADVERTISED", place)];
        Self::of("kafka", up_with("kafka", &["--private"], &told))
    }

    /// A RabbitMQ or Kafka that is reached by encrypted connections as well, on this port of `localhost`, by the
    /// user `me`; `server.pem`, `server.key`, `ca.pem` and `password` lie in the folder.
    pub(crate) fn encrypted(name: &str, port: u16, folder: &Path) -> Option<Self> {
        let told = format!("{port} {}", folder.display());
        let told = [("PAPERFLOW_TEST_ENCRYPTED", told.as_str())];
        Self::of(name, up_with(name, &["--private"], &told))
    }

    fn of(name: &str, broker: Option<Broker>) -> Option<Self> {
        let name = name.to_owned();
        broker.map(|broker| Self { name, broker })
    }

    pub(crate) fn url(&self) -> &str {
        &self.broker.url
    }

    /// Where it keeps what it has, in `data`.
    pub(crate) fn folder(&self) -> PathBuf {
        self.broker.folder.join(&self.name)
    }

    /// Kills it in the middle of things, and waits until it is dead.
    pub(crate) fn kill(&self) {
        self.call("kill");
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&self) {
        self.call("stop");
    }

    /// Starts it again where it was, with what it has kept, and waits until it answers.
    pub(crate) fn start(&self) {
        self.call("start");
    }

    /// Has RabbitMQ end all connections, as it does with one on which nothing comes.
    pub(crate) fn hang_up(&self) {
        self.call_with("ctl", &["--quiet", "close_all_connections", "silent"]);
    }

    fn call(&self, verb: &str) {
        self.call_with(verb, &[]);
    }

    fn call_with(&self, verb: &str, arguments: &[&str]) {
        let script = self.folder().join(verb);
        let mut command = Command::new(&script);
        let command = command.args(arguments).stdin(Stdio::null());
        let status = command.stdout(Stdio::null()).status();
        let status = status.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(status.success(), "{}: {status}", script.display());
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let mut down = Command::new(scripts().join("down"));
        down.arg(&self.broker.folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        // What is left is stopped by `keep`, as after a test that was killed.
        let _left = down.status();
    }
}

struct Broker {
    url: String,
    folder: PathBuf,
}

/// What it says goes past the capture of tests: who waits for an installation, or is skipped, shall see it.
fn up(name: &str, arguments: &[&str]) -> Option<Broker> {
    up_with(name, arguments, &[])
}

fn up_with(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Broker> {
    let mut up = Command::new(scripts().join("up"));
    up.args([name, "--keep"]).args(arguments);
    up.envs(variables.iter().copied());
    let output = up.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("{up:?}: {error}"));
    assert!(
        output.status.success(),
        "{up:?}: {}; it has said why",
        output.status
    );
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let mut values = text
        .lines()
        .filter_map(|line| line.strip_suffix('\'')?.split_once("='"));
    let (_, folder) = values.next_back()?;
    let folder = PathBuf::from(folder);
    use_shared(&folder);
    let (_, url) = values.next()?;
    let url = url.to_owned();
    Some(Broker { url, folder })
}

/// As long as this program runs nobody stops the brokers that it may have started.
fn use_shared(folder: &Path) {
    static USERS: OnceLock<File> = OnceLock::new();
    let mut folders = folder
        .ancestors()
        .take(2)
        .map(|folder| folder.join("users"));
    let Some(users) = folders.find(|file| file.exists()) else {
        return;
    };
    USERS.get_or_init(|| {
        let file = File::open(users).expect("the file of users is readable");
        file.lock_shared().expect("it can be locked");
        file
    });
}

/// The folder of the scripts, whichever crate's tests these are.
fn scripts() -> PathBuf {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/brokers"));
    folders
        .find(|folder| folder.join("up").is_file())
        .expect("the scripts lie in this workspace")
}
