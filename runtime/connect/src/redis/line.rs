//! The line to a server: connections, each for one call at a time, and scripts that are run over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[cfg(feature = "tls")]
use ::redis::TlsCertificates;
use ::redis::{
    Client, Connection, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisError, Value, cmd, pipe,
};
use paperflow_core::connector::{StoreFault, StoreFaultKind};
use parking_lot::Mutex;

use super::scripts::{SCRIPTS, Script};
use crate::broker::Address;
use crate::broker::presence::Presence;
use crate::clock::{Clock, millis};
use crate::fault::{damaged, unavailable, unsupported};

/// How long it may take to come to the telephone.
const CONNECT: Duration = Duration::from_secs(5);

/// A line to a server, which may be down for a while.
pub(super) struct Line {
    client: Client,
    pub(super) address: Address,
    /// What all keys begin with.
    pub(super) prefix: String,
    /// Who this is, among all who use the server.
    pub(super) session: String,
    pub(super) clock: Arc<dyn Clock>,
    /// Time is what the clock says, and not the server.
    is_told_time: bool,
    idle: Mutex<Vec<Connection>>,
    /// How long a server may take to answer.
    answer: Duration,
    pub(super) presence: Presence,
    is_cut: AtomicBool,
    /// How many connections were lost in the middle of a call.
    losses: AtomicU64,
}

/// One run of a script: its own arguments.
pub(super) struct Call {
    script: &'static Script,
    /// All of them, one behind the other.
    arguments: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Call {
    pub(super) fn of(script: &'static Script) -> Self {
        Self {
            script,
            arguments: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn with(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.add(argument);
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.with(number.to_string())
    }

    pub(super) fn add(&mut self, argument: impl AsRef<[u8]>) {
        self.write(|arguments| arguments.extend_from_slice(argument.as_ref()));
    }

    /// An argument that is written where it is to be.
    pub(super) fn write(&mut self, argument: impl FnOnce(&mut Vec<u8>)) {
        argument(&mut self.arguments);
        self.ends.push(self.arguments.len());
    }
}

/// What is said of a line.
pub(super) struct Terms {
    pub(super) prefix: String,
    pub(super) session: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) is_told_time: bool,
    pub(super) answer: Duration,
    /// The file of certificates that are trusted in place of those of the system.
    pub(super) ca: Option<String>,
}

impl Line {
    /// A line to the server at an address; nobody has been called yet.
    pub(super) fn new(address: &Address, terms: Terms) -> Result<Self, StoreFault> {
        let client = client(address, terms.ca.as_deref())?;
        Ok(Self {
            client,
            address: address.clone(),
            prefix: terms.prefix,
            answer: terms.answer,
            presence: Presence::new(address, &terms.session),
            session: terms.session,
            clock: terms.clock,
            is_told_time: terms.is_told_time,
            idle: Mutex::default(),
            is_cut: AtomicBool::new(false),
            losses: AtomicU64::new(0),
        })
    }

    /// Runs scripts in one go, and gives their answers.
    pub(super) fn call(&self, calls: Vec<Call>) -> Result<Vec<Value>, StoreFault> {
        let now = match self.is_told_time {
            true => millis(self.clock.wall()).to_string(),
            false => String::new(),
        };
        let mut pipeline = pipe();
        for call in calls {
            let command = pipeline.cmd("EVALSHA").arg(call.script.hash()).arg(0);
            command.arg(&self.prefix).arg(&now).arg(&self.session);
            let mut begin = 0;
            for end in call.ends {
                command.arg(&call.arguments[begin..end]);
                begin = end;
            }
        }
        self.query(&pipeline)
    }

    /// Runs one script.
    pub(super) fn ask(&self, call: Call) -> Result<Value, StoreFault> {
        let mut answers = self.call(vec![call])?;
        answers
            .pop()
            .ok_or_else(|| damaged("a server gave no answer"))
    }

    /// Asks the server, over a connection of one's own.
    pub(super) fn query(&self, pipeline: &Pipeline) -> Result<Vec<Value>, StoreFault> {
        // A connection that has lain idle may be gone without anybody having heard of it.
        let (connection, is_fresh) = match self.idle.lock().pop() {
            Some(connection) => (Some(connection), false),
            None => (None, true),
        };
        let first = self.query_over(connection, pipeline);
        match first {
            Err(error) if !is_fresh && is_lost(&error) && !error.is_timeout() => {
                self.idle.lock().clear();
                self.query_over(None, pipeline)
            }
            result => result,
        }
        .map_err(|error| self.fault(&error))
    }

    fn query_over(
        &self,
        connection: Option<Connection>,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, RedisError> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => self.dial()?,
        };
        let asked = Instant::now();
        let answers = pipeline.query(&mut connection);
        match &answers {
            Err(error) if is_lost(error) => {
                self.losses.fetch_add(1, Ordering::AcqRel);
                // Who does not answer here answers nobody; who has hung up may take the next call.
                if error.is_timeout() {
                    self.idle.lock().clear();
                    self.presence.missed(asked, &self.why(error));
                }
            }
            _ => {
                self.presence.note(None);
                self.idle.lock().push(connection);
            }
        }
        answers
    }

    /// How many connections were lost in the middle of a call: the server may have done what it was asked.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    /// A new connection, unless the server was away a moment ago.
    pub(super) fn dial(&self) -> Result<Connection, RedisError> {
        let away = |reason: String| {
            let error = std::io::Error::new(std::io::ErrorKind::NotConnected, reason);
            RedisError::from(error)
        };
        if self.is_cut.load(Ordering::Acquire) {
            return Err(away(String::from("the line is cut")));
        }
        if let Some(reason) = self.presence.rests() {
            return Err(away(reason));
        }
        let asked = Instant::now();
        let dialled = self.open();
        match &dialled {
            Ok(_) => self.presence.note(None),
            Err(error) => self.presence.missed(asked, &self.why(error)),
        }
        dialled
    }

    /// What is wrong, in words.
    fn why(&self, error: &RedisError) -> String {
        match error.is_timeout() {
            true => format!("no answer within {:?}", self.answer),
            false => error.to_string(),
        }
    }

    fn open(&self) -> Result<Connection, RedisError> {
        let mut connection = self
            .client
            .get_connection_with_timeout(CONNECT.min(self.answer))?;
        connection.set_read_timeout(Some(self.answer))?;
        connection.set_write_timeout(Some(self.answer))?;
        let mut load = pipe();
        for script in SCRIPTS.iter() {
            load.cmd("SCRIPT").arg("LOAD").arg(script.text()).ignore();
        }
        load.query::<()>(&mut connection)?;
        Ok(connection)
    }

    /// Nothing goes over the line any more.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.idle.lock().clear();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// An error, as a fault of the store.
    fn fault(&self, error: &RedisError) -> StoreFault {
        let address = &self.address;
        if self.is_cut() {
            let message = format!("the store at `{address}` is closed");
            return StoreFault::new(StoreFaultKind::Taken, message);
        }
        match error.code() {
            Some("NOAUTH" | "WRONGPASS" | "NOPERM" | "NOPROTO") => {
                unsupported(format!("`{address}` refuses us: {error}"))
            }
            Some(
                "LOADING" | "MASTERDOWN" | "READONLY" | "OOM" | "MISCONF" | "NOSCRIPT" | "BUSY"
                | "NOREPLICAS",
            ) => unavailable(format!("`{address}` cannot do it now: {error}")),
            Some(_) => damaged(format!("`{address}` cannot do it: {error}")),
            None if error.kind() == ErrorKind::AuthenticationFailed => {
                unsupported(format!("`{address}` refuses us: {error}"))
            }
            None => unavailable(format!(
                "`{address}` cannot be reached: {}",
                self.why(error)
            )),
        }
    }
}

/// Whether the connection is of no use any more, or does not know our scripts.
fn is_lost(error: &RedisError) -> bool {
    let is_of_server = error.code().is_some_and(|code| code != "NOSCRIPT");
    !is_of_server
}

fn client(address: &Address, ca: Option<&str>) -> Result<Client, StoreFault> {
    let wrong = |error: RedisError| unsupported(format!("`{address}`: {error}"));
    let (host, port) = (address.host.clone(), address.port.unwrap_or(6379));
    let place = match address.scheme.as_str() {
        "rediss" => encrypted(host, port)?,
        _ => ConnectionAddr::Tcp(host, port),
    };
    let mut server = RedisConnectionInfo::default();
    if let Some(user) = &address.user {
        server = server.set_username(user);
    }
    if let Some(password) = &address.password {
        server = server.set_password(password);
    }
    if !address.path.is_empty() {
        let number = address.path.parse();
        let number = number.map_err(|_| {
            unsupported(format!(
                "`{address}`: `{}` is no number of a database",
                address.path
            ))
        })?;
        server = server.set_db(number);
    }
    let information = place.into_connection_info().map_err(wrong)?;
    let information = information.set_redis_settings(server);
    match ca {
        Some(ca) => trusting(information, ca)?.map_err(wrong),
        None => Client::open(information).map_err(wrong),
    }
}

/// A client that trusts the certificates in a file, and no others.
#[cfg(feature = "tls")]
fn trusting(
    information: ConnectionInfo,
    ca: &str,
) -> Result<Result<Client, RedisError>, StoreFault> {
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(crate::broker::certificates(ca)?),
    };
    Ok(Client::build_with_tls(information, certificates))
}

#[cfg(not(feature = "tls"))]
fn trusting(_: ConnectionInfo, _: &str) -> Result<Result<Client, RedisError>, StoreFault> {
    Err(unsupported(
        "`ca` is for encrypted connections, and this build has none: build it with the feature `tls`",
    ))
}

#[cfg(feature = "tls")]
fn encrypted(host: String, port: u16) -> Result<ConnectionAddr, StoreFault> {
    Ok(ConnectionAddr::TcpTls {
        host,
        port,
        insecure: false,
        tls_params: None,
    })
}

#[cfg(not(feature = "tls"))]
fn encrypted(_: String, _: u16) -> Result<ConnectionAddr, StoreFault> {
    Err(unsupported(
        "`rediss` is encrypted, and this build cannot do that: build it with the feature `tls`",
    ))
}

/// Tells everybody who listens that we are here, so that a line on which nothing comes is seen to be dead.
pub(super) fn greeting(prefix: &str, session: &str) -> Pipeline {
    let mut pipeline = pipe();
    pipeline.add_command(
        cmd("PUBLISH")
            .arg(format!("{prefix}paperflow:bell"))
            .arg(format!("{session}\nhere\n"))
            .to_owned(),
    );
    pipeline
}
