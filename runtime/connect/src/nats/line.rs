//! The line to a server: one connection, which is given up when it breaks, and what is asked over it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::client::RequestErrorKind;
use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, Message, PublishError, StatusCode,
};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use paperflow_core::connector::{StoreFault, StoreFaultKind};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::names::Names;
use crate::broker::Address;
use crate::broker::presence::Presence;
use crate::broker::tasks;
use crate::fault::{damaged, unavailable, unsupported};

/// How long it may take to let us in.
const CONNECT: Duration = Duration::from_secs(5);

/// A line to a server, which may be down for a while.
pub(super) struct Line {
    pub(super) address: Address,
    pub(super) names: Names,
    /// Who this is, among all who use the server.
    pub(super) session: String,
    pub(super) runtime: Handle,
    /// A file with certificates that are trusted, beside those of the system.
    authority: Option<PathBuf>,
    /// How long the server may take to answer.
    answer: Duration,
    pub(super) presence: Presence,
    wire: Mutex<Option<Wire>>,
    /// Held by whoever connects.
    dialling: Mutex<()>,
    dialled: AtomicU64,
    is_cut: AtomicBool,
}

/// A connection.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) client: Client,
    /// Which connection of this line it is, from 1.
    pub(super) number: u64,
    is_lost: watch::Receiver<bool>,
}

/// Something that is asked.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Vec<u8>,
}

impl Request {
    /// One for something the server does to streams and consumers.
    pub(super) fn api(what: &str, body: &Json) -> Self {
        let payload = match body {
            Json::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        Self {
            subject: format!("$JS.API.{what}"),
            headers: HeaderMap::new(),
            payload,
        }
    }

    /// What it takes of a stream, about.
    pub(super) fn bytes(&self) -> u64 {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, values)| {
            let name: &str = name.as_ref();
            let values = values.iter().map(|value| value.as_str().len());
            values.map(|value| name.len() + value + 4).sum::<usize>()
        });
        let all = self.subject.len() + self.payload.len() + headers.sum::<usize>() + 46;
        all as u64
    }
}

impl Line {
    /// A line to the server at an address; nobody has been called yet.
    pub(super) fn new(
        address: &Address,
        names: Names,
        session: String,
        authority: Option<PathBuf>,
        answer: Duration,
    ) -> Result<Self, StoreFault> {
        Ok(Self {
            address: address.clone(),
            names,
            runtime: tasks::runtime()?,
            presence: Presence::new(address, &session),
            session,
            authority,
            answer,
            wire: Mutex::default(),
            dialling: Mutex::default(),
            dialled: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
        })
    }

    /// Does something over the connection; a server that is away refuses at once.
    pub(super) fn run<T, F>(&self, what: impl FnOnce(Wire) -> F) -> Result<T, StoreFault>
    where
        F: Future<Output = Result<T, StoreFault>> + Send + 'static,
        T: Send + 'static,
    {
        self.run_over(self.wire()?, what)
    }

    /// The same over the connection of this number alone, since what is said was true of the server then.
    pub(super) fn run_still<T, F>(
        &self,
        number: u64,
        what: impl FnOnce(Wire) -> F,
    ) -> Result<T, StoreFault>
    where
        F: Future<Output = Result<T, StoreFault>> + Send + 'static,
        T: Send + 'static,
    {
        let wire = self.wire()?;
        match wire.number == number {
            true => self.run_over(wire, what),
            false => Err(self.away("the connection was lost")),
        }
    }

    /// The number of the connection, which is made if there is none.
    pub(super) fn number(&self) -> Result<u64, StoreFault> {
        Ok(self.wire()?.number)
    }

    fn run_over<T, F>(&self, wire: Wire, what: impl FnOnce(Wire) -> F) -> Result<T, StoreFault>
    where
        F: Future<Output = Result<T, StoreFault>> + Send + 'static,
        T: Send + 'static,
    {
        let (number, mut is_lost) = (wire.number, wire.is_lost.clone());
        let began = Instant::now();
        let doing = what(wire);
        let asked = tasks::wait_for_all(&self.runtime, self.answer, async move {
            let lost = pin!(is_lost.wait_for(|is_lost| *is_lost));
            match select(pin!(doing), lost).await {
                Either::Left((answer, _)) => Ok(answer),
                Either::Right(_) => Err("the connection was lost"),
            }
        });
        let trouble = match asked {
            Some(Ok(answer)) => {
                self.presence.note(None);
                return answer.map_err(|fault| if self.is_cut() { self.closed() } else { fault });
            }
            Some(Err(reason)) => reason.to_owned(),
            None => {
                let reason = self.silent();
                self.presence.missed(began, &reason);
                reason
            }
        };
        // Who has hung up may take the next call.
        self.wire.lock().take_if(|wire| wire.number == number);
        Err(match self.is_cut() {
            true => self.closed(),
            false => self.away(&trouble),
        })
    }

    /// The connection, which is made if there is none, unless the server was away a moment ago. One at a time
    /// makes it; meanwhile all others are refused.
    fn wire(&self) -> Result<Wire, StoreFault> {
        if self.is_cut() {
            return Err(self.closed());
        }
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        let Some(_dialling) = self.dialling.try_lock() else {
            return Err(self.away("it is being called"));
        };
        if let Some(wire) = self.current() {
            return Ok(wire);
        }
        if let Some(reason) = self.presence.rests() {
            return Err(self.away(&reason));
        }
        let began = Instant::now();
        let dialled = self.dial();
        match &dialled {
            Ok(wire) => {
                self.presence.note(None);
                *self.wire.lock() = Some(wire.clone());
            }
            Err(fault) => self.presence.missed(began, fault),
        }
        dialled
    }

    /// The connection that is there.
    pub(super) fn current(&self) -> Option<Wire> {
        let mut wire = self.wire.lock();
        wire.take_if(|wire| *wire.is_lost.borrow());
        wire.clone()
    }

    fn silent(&self) -> String {
        format!("no answer within {:?}", self.answer)
    }

    fn dial(&self) -> Result<Wire, StoreFault> {
        let (tell, is_lost) = watch::channel(false);
        let options = self.options(tell)?;
        let (scheme, host) = (&self.address.scheme, &self.address.host);
        let scheme = if scheme == "tls+nats" { "tls" } else { "nats" };
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.clone(),
        };
        let port = self.address.port.unwrap_or(4222);
        let connecting = async {
            let url = format!("{scheme}://{host}:{port}");
            let connected = options.connect(url).await;
            connected.map_err(|error| match error.kind() {
                ConnectErrorKind::Authentication
                | ConnectErrorKind::AuthorizationViolation
                | ConnectErrorKind::ServerParse
                | ConnectErrorKind::Tls => {
                    unsupported(format!("`{}` refuses us: {error}", self.address))
                }
                _ => self.away(&error.to_string()),
            })
        };
        let client = tasks::wait(&self.runtime, CONNECT.min(self.answer), connecting)
            .unwrap_or_else(|| Err(self.away(&self.silent())))?;
        let number = self.dialled.fetch_add(1, Ordering::AcqRel) + 1;
        Ok(Wire {
            client,
            number,
            is_lost,
        })
    }

    fn options(&self, tell: watch::Sender<bool>) -> Result<ConnectOptions, StoreFault> {
        let tell = Arc::new(tell);
        let mut options = ConnectOptions::new()
            .name("paperflow")
            .no_echo()
            // A connection that broke is given up, so that nothing is told that was meant for it.
            .max_reconnects(1)
            .connection_timeout(CONNECT.min(self.answer))
            .request_timeout(None)
            .event_callback(move |event| {
                let tell = Arc::clone(&tell);
                async move {
                    if matches!(event, Event::Disconnected | Event::Closed) {
                        tell.send_replace(true);
                    }
                }
            });
        if self.address.scheme == "tls+nats" {
            options = options.require_tls(true);
        }
        if let Some(file) = &self.authority {
            options = options.add_root_certificates(file.clone());
        }
        Ok(match (&self.address.user, &self.address.password) {
            (Some(user), Some(password)) => {
                options.user_and_password(user.clone(), password.clone())
            }
            (Some(token), None) => options.token(token.clone()),
            _ => options,
        })
    }

    /// Nothing goes over the line any more.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        *self.wire.lock() = None;
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    fn away(&self, reason: &str) -> StoreFault {
        unavailable(format!("`{}` cannot be reached: {reason}", self.address))
    }

    fn closed(&self) -> StoreFault {
        let message = format!("the store at `{}` is closed", self.address);
        StoreFault::new(StoreFaultKind::Taken, message)
    }

    /// Asks the server for something it does to streams and consumers.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        body: &Json,
    ) -> Result<T, StoreFault> {
        read(&self.exchange_one(Request::api(what, body))?)
    }

    /// Asks many things at a time; the answers come in the order of the questions.
    pub(super) fn exchange(&self, requests: Vec<Request>) -> Result<Vec<Message>, StoreFault> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        self.run(|wire| async move { wire.exchange(requests).await })
    }

    /// Asks one thing.
    pub(super) fn exchange_one(&self, request: Request) -> Result<Message, StoreFault> {
        self.run(|wire| async move { wire.exchange_one(request).await })
    }

    /// The same as [`exchange`](Self::exchange) over the connection of this number alone.
    pub(super) fn exchange_still(
        &self,
        number: u64,
        requests: Vec<Request>,
    ) -> Result<Vec<Message>, StoreFault> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        self.run_still(number, |wire| async move { wire.exchange(requests).await })
    }
}

impl Wire {
    /// Asks one thing, for which nobody has to be made to listen.
    pub(super) async fn exchange_one(&self, request: Request) -> Result<Message, StoreFault> {
        let mut asked = async_nats::Request::new().payload(request.payload.into());
        if !request.headers.is_empty() {
            asked = asked.headers(request.headers);
        }
        let answer = self.client.send_request(request.subject, asked).await;
        answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => no_jetstream(),
            RequestErrorKind::MaxPayloadExceeded => too_large(&error),
            _ => unavailable(error.to_string()),
        })
    }

    /// See [`Line::exchange`].
    pub(super) async fn exchange(
        &self,
        mut requests: Vec<Request>,
    ) -> Result<Vec<Message>, StoreFault> {
        if requests.len() == 1
            && let Some(request) = requests.pop()
        {
            return Ok(vec![self.exchange_one(request).await?]);
        }
        let inbox = self.client.new_inbox();
        let heard = self.client.subscribe(format!("{inbox}.*")).await;
        let mut heard = heard.map_err(|error| unavailable(error.to_string()))?;
        let mut answers = vec![None; requests.len()];
        for (at, request) in requests.into_iter().enumerate() {
            let (reply, payload) = (format!("{inbox}.{at}"), request.payload.into());
            let told = match request.headers.is_empty() {
                true => {
                    let client = &self.client;
                    client
                        .publish_with_reply(request.subject, reply, payload)
                        .await
                }
                false => {
                    let (subject, headers) = (request.subject, request.headers);
                    self.client
                        .publish_with_reply_and_headers(subject, reply, headers, payload)
                        .await
                }
            };
            told.map_err(|error| unsent(&error))?;
        }
        let mut missing = answers.len();
        while missing > 0 {
            let answer = heard.next().await;
            let answer = answer.ok_or_else(|| unavailable("the connection was lost"))?;
            let at = answer.subject.rsplit('.').next();
            let at: Option<usize> = at.and_then(|at| at.parse().ok());
            let place = at.and_then(|at| answers.get_mut(at));
            if let Some(place) = place.filter(|place| place.is_none()) {
                *place = Some(answer);
                missing -= 1;
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Tells without waiting for an answer.
    pub(super) async fn tell(&self, subject: String, payload: Vec<u8>) -> Result<(), StoreFault> {
        let told = self.client.publish(subject, payload.into()).await;
        told.map_err(|error| unsent(&error))
    }
}

fn unsent(error: &PublishError) -> StoreFault {
    match error.kind() {
        async_nats::client::PublishErrorKind::MaxPayloadExceeded => too_large(error),
        _ => unavailable(error.to_string()),
    }
}

fn too_large(error: &dyn std::fmt::Display) -> StoreFault {
    unsupported(format!(
        "a message is larger than the server takes (`max_payload`): {error}"
    ))
}

pub(super) fn no_jetstream() -> StoreFault {
    unavailable("nobody answers for JetStream: the server begins, or has it not (`-js`)")
}

/// What the server says that it could not do.
#[derive(Debug, Deserialize)]
struct Refused {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

/// An answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Refused { error: Refused },
    Done(T),
}

/// Answers that somebody looks for have these numbers.
pub(super) mod codes {
    pub(in super::super) const STREAM_NAME_IN_USE: &str = "10058";
    pub(in super::super) const SUBJECTS_OVERLAP: &str = "10065";
    pub(in super::super) const NO_STREAM: &str = "10059";
    pub(in super::super) const NO_CONSUMER: &str = "10014";
    pub(in super::super) const WRONG_LAST_SEQUENCE: &str = "10071";
    pub(in super::super) const NO_MESSAGE: &str = "10037";
    pub(in super::super) const NOT_DELETED: &str = "10057";
}

/// Reads an answer; a refusal ends with its number in brackets, see [`is_refused`].
pub(super) fn read<T: DeserializeOwned>(answer: &Message) -> Result<T, StoreFault> {
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(no_jetstream());
    }
    match serde_json::from_slice(&answer.payload) {
        Ok(Answer::Done(done)) => Ok(done),
        Ok(Answer::Refused { error }) => Err(refusal(&error)),
        Err(error) => Err(damaged(format!(
            "a server answered what cannot be read: {error}"
        ))),
    }
}

fn refusal(error: &Refused) -> StoreFault {
    let message = format!(
        "the server refuses: {} ({})",
        error.description, error.err_code
    );
    match error.err_code {
        // No room, no leader, or it begins.
        10_002 | 10_008 | 10_009 | 10_023 | 10_028 | 10_047 | 10_077 | 10_118 | 10_122 => {
            unavailable(message)
        }
        10_035 | 10_039 | 10_054 | 10_065 | 10_076 | 10_100 => unsupported(message),
        _ => damaged(message),
    }
}

/// Whether the server refused with this number.
pub(super) fn is_refused(fault: &StoreFault, code: &str) -> bool {
    let message = fault.to_string();
    let code = message
        .strip_suffix(')')
        .map(|message| message.ends_with(&format!("({code}")));
    code == Some(true)
}
