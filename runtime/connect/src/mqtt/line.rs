//! A connection to a broker, and the thread that polls it for as long as it is wanted.
//!
//! Nobody but that thread waits for the network, and it waits for nobody: who asks puts a request into a
//! channel and waits, for a bounded time, until the answer has come. A broker answers what comes over one
//! connection in order, and sends what it has to send in between; so whoever has had an answer has also had
//! every message that the broker had for it when it was asked ([`Line::fence`]).

use std::fmt::Display;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use paperflow_core::connector::{StoreFault, StoreFaultKind};
use parking_lot::{Condvar, Mutex};
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, DisconnectReasonCode, Filter, Packet, PubAck, Publish, SubscribeReasonCode,
};
use rumqttc::v5::{
    Client, Connection, ConnectionError, Event, MqttOptions, RecvTimeoutError, StateError,
};

use super::mail::Mail;
use crate::broker::Address;
use crate::broker::patience::Backoff;
use crate::broker::presence::Presence;
use crate::broker::threads;
use crate::fault::{unavailable, unsupported};

/// How often a broker is asked for a sign of life; the client gives up after the second one.
pub(super) const ALIVE: Duration = Duration::from_secs(5);
/// A connection on which even that does not go out any more is dead.
const SILENCE: Duration = Duration::from_secs(20);
/// Nobody subscribes to this: asked to end it, a broker says that it is none, in its turn.
const FENCE: &str = "paperflow/fence";

/// Who listens at a line. It is called by the thread of the line, and must not wait.
pub(super) trait Ear: Send + Sync {
    /// A connection stands: what is to be subscribed to first. `is_known` when the broker has kept the
    /// session.
    fn begun(&self, is_known: bool) -> Vec<Filter> {
        let _ = is_known;
        Vec::new()
    }

    /// What [`begun`](Self::begun) asked for is there, and so is all that the broker had to send again.
    fn settled_in(&self) {}

    /// A message has come.
    fn heard(&self, publish: Publish) {
        let _ = publish;
    }

    /// The broker has taken a message, or refused it; whether more such answers are to come.
    fn confirmed(&self, ack: &PubAck) -> bool {
        let _ = ack;
        false
    }

    /// The connection is lost.
    fn lost(&self) {}
}

/// A line to a broker, which may be down for a while. It is closed when it is dropped.
pub(super) struct Line {
    shared: Arc<Shared>,
}

struct Shared {
    options: MqttOptions,
    address: Address,
    /// How long the broker may take to answer.
    answer: Duration,
    /// Who is told whether the broker is there.
    presence: OnceLock<Arc<Presence>>,
    /// So many requests may wait for the thread.
    requests: usize,
    /// A topic that nobody reads, see [`mail`](super::mail).
    nudge: String,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    client: Option<Client>,
    /// Counts connections.
    generation: u64,
    /// Requests on this connection that are answered, and answers.
    asked: u64,
    answered: u64,
    /// So many answers until what was asked first is there.
    first: u64,
    /// Why there is no connection; nothing before the first try.
    fault: Option<StoreFault>,
    /// What the broker has refused on this connection.
    refusal: Option<StoreFault>,
    is_to_end: bool,
    is_closed: bool,
    /// The broker is told that we leave, behind all that it is told before.
    says_goodbye: bool,
}

impl Line {
    /// A line that nobody polls yet.
    pub(super) fn new(
        options: MqttOptions,
        (address, answer): (&Address, Duration),
        requests: usize,
        nudge: String,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                address: address.clone(),
                answer,
                presence: OnceLock::new(),
                requests,
                nudge,
                state: Mutex::default(),
                bell: Condvar::new(),
            }),
        }
    }

    /// Whether the broker is there is seen by this line.
    pub(super) fn telling(self, presence: &Arc<Presence>) -> Self {
        self.shared.presence.get_or_init(|| Arc::clone(presence));
        self
    }

    /// How long the broker may take to answer.
    pub(super) fn answer_time(&self) -> Duration {
        self.shared.answer
    }

    /// Begins to connect, and goes on for as long as somebody listens.
    pub(super) fn start(&self, ear: Weak<dyn Ear>) -> Result<(), StoreFault> {
        let shared = Arc::clone(&self.shared);
        threads::start("mqtt-line", move || keep(&shared, &ear))
    }

    /// The connection, with its number. Waits for the first one; afterwards a broker that is away refuses
    /// at once.
    pub(super) fn client(&self) -> Result<(Client, u64), StoreFault> {
        let mut state = self.shared.state.lock();
        let end = Instant::now() + self.shared.answer;
        while state.client.is_none() && state.fault.is_none() && !state.is_closed {
            if self.shared.bell.wait_until(&mut state, end).timed_out() {
                return Err(self.shared.no_answer());
            }
        }
        match &state.client {
            Some(client) => Ok((client.clone(), state.generation)),
            None => Err(self.shared.why_not(&state)),
        }
    }

    /// The connection, if there is one now.
    pub(super) fn present(&self) -> Option<Client> {
        self.shared.state.lock().client.clone()
    }

    /// Returns when every message that the broker had for us has come.
    pub(super) fn fence(&self) -> Result<(), StoreFault> {
        self.unsubscribe(FENCE)
    }

    /// Ends a subscription; what belonged to it has come when this returns.
    pub(super) fn unsubscribe(&self, filter: &str) -> Result<(), StoreFault> {
        let (client, generation) = self.client()?;
        let mut state = self.shared.state.lock();
        if state.generation != generation || client.try_unsubscribe(filter).is_err() {
            return Err(self.shared.why_not(&state));
        }
        state.asked += 1;
        let mark = state.asked;
        let end = Instant::now() + self.shared.answer;
        while state.generation == generation && state.client.is_some() && state.answered < mark {
            if self.shared.bell.wait_until(&mut state, end).timed_out() {
                return Err(self.shared.no_answer());
            }
        }
        if state.generation != generation || state.client.is_none() {
            return Err(self.shared.why_not(&state));
        }
        state.refusal.clone().map_or(Ok(()), Err)
    }

    /// Ends this connection, on which an answer is missing; another one is made.
    pub(super) fn begin_anew(&self) {
        let mut state = self.shared.state.lock();
        if let Some(client) = state.client.take() {
            state.is_to_end = true;
            state.fault = Some(self.shared.no_answer());
            // A full channel is emptied by the thread, which then sees that it is to end.
            let _ = client.try_disconnect();
        }
    }

    /// Nothing goes over the line any more.
    pub(super) fn close(&self) {
        let mut state = self.shared.state.lock();
        state.is_closed = true;
        if let Some(client) = state.client.take() {
            state.says_goodbye = client.try_disconnect().is_ok();
        }
        self.shared.bell.notify_all();
    }

    /// Somebody else has taken over: nothing goes over the line any more, and whoever asks is told.
    pub(super) fn give_way(&self) {
        self.shared.state.lock().fault = Some(self.shared.taken());
        self.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.state.lock().is_closed
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn no_answer(&self) -> StoreFault {
        unavailable(format!("`{}` gives no answer", self.address))
    }

    fn taken(&self) -> StoreFault {
        let message = format!(
            "another program reads as the same subscriber at `{}`",
            self.address
        );
        StoreFault::new(StoreFaultKind::Taken, message)
    }

    fn why_not(&self, state: &State) -> StoreFault {
        let is_taken = |fault: &StoreFault| fault.kind() == StoreFaultKind::Taken;
        if state.is_closed && !state.fault.as_ref().is_some_and(is_taken) {
            let message = format!("the store at `{}` is closed", self.address);
            return StoreFault::new(StoreFaultKind::Taken, message);
        }
        let away = || unavailable(format!("`{}` cannot be reached", self.address));
        state.fault.clone().unwrap_or_else(away)
    }

    /// Whether a connection is to end now.
    fn end(&self) -> Option<End> {
        let state = self.state.lock();
        if state.is_closed && !state.says_goodbye {
            return Some(End::Closed);
        }
        (state.is_to_end && !state.is_closed).then(|| End::Lost(self.no_answer()))
    }

    /// The connection stands: asks for what comes first, and lets others use it.
    fn begin(&self, client: &Client, first: Vec<Filter>) {
        let mut state = self.state.lock();
        state.fault = None;
        state.generation += 1;
        (state.asked, state.answered, state.refusal) = (0, 0, None);
        for filter in first {
            // The channel is new, and has room.
            if client.try_subscribe_many([filter]).is_ok() {
                state.asked += 1;
            }
        }
        state.first = state.asked;
        if !state.is_closed {
            state.client = Some(client.clone());
        }
        self.bell.notify_all();
    }

    /// An answer has come; whether it is the last of those that come first.
    fn answer(&self, refusal: Option<StoreFault>) -> bool {
        let mut state = self.state.lock();
        state.answered += 1;
        state.refusal = state.refusal.take().or(refusal);
        self.bell.notify_all();
        state.answered == state.first
    }

    fn lose(&self, fault: StoreFault) {
        let mut state = self.state.lock();
        state.client = None;
        state.is_to_end = false;
        state.fault = Some(fault);
        self.bell.notify_all();
    }

    /// Whoever wants to know is told whether the broker is there.
    fn tell(&self, fault: Option<&StoreFault>) {
        if let Some(presence) = self.presence.get() {
            let text = fault.map(ToString::to_string);
            let before = self.cannot_be_reached();
            let why = text
                .as_ref()
                .map(|text| text.strip_prefix(&before).unwrap_or(text));
            presence.note(why.as_ref().map(|why| why as &dyn Display));
        }
    }

    fn cannot_be_reached(&self) -> String {
        format!("`{}` cannot be reached: ", self.address)
    }

    /// Rests, unless the line is closed.
    fn rest(&self, rest: Duration) {
        let mut state = self.state.lock();
        let end = Instant::now() + rest;
        while !state.is_closed && !self.bell.wait_until(&mut state, end).timed_out() {}
    }

    fn fault(&self, error: &ConnectionError) -> StoreFault {
        let address = &self.address;
        match error {
            ConnectionError::ConnectionRefused(code) if is_final(*code) => {
                unsupported(format!("`{address}` refuses us: {}", said(*code)))
            }
            ConnectionError::ConnectionRefused(code) => {
                unavailable(format!("`{address}` cannot serve us now: {}", said(*code)))
            }
            ConnectionError::MqttState(StateError::ServerDisconnect {
                reason_code: DisconnectReasonCode::SessionTakenOver,
                ..
            }) => self.taken(),
            error => unavailable(format!("{}{error}", self.cannot_be_reached())),
        }
    }
}

/// Whether it is of no use to ask again as we are.
const fn is_final(code: ConnectReturnCode) -> bool {
    !matches!(
        code,
        ConnectReturnCode::ServiceUnavailable
            | ConnectReturnCode::ServerUnavailable
            | ConnectReturnCode::ServerBusy
            | ConnectReturnCode::QuotaExceeded
            | ConnectReturnCode::ConnectionRateExceeded
            | ConnectReturnCode::UnspecifiedError
            | ConnectReturnCode::ImplementationSpecificError
    )
}

fn said(code: ConnectReturnCode) -> String {
    match code {
        ConnectReturnCode::BadUserNamePassword => String::from("wrong user or password"),
        ConnectReturnCode::NotAuthorized => {
            String::from("not authorized: wrong user or password, or no right to connect")
        }
        ConnectReturnCode::RefusedProtocolVersion
        | ConnectReturnCode::UnsupportedProtocolVersion => String::from("it does not speak MQTT 5"),
        code => format!("{code:?}"),
    }
}

/// What became of a connection.
enum End {
    Lost(StoreFault),
    Closed,
}

/// Connects again and again, until nobody listens any more or somebody else has taken the session.
fn keep(shared: &Shared, ear: &Weak<dyn Ear>) {
    let mut backoff = Backoff::of(&shared.options.client_id());
    loop {
        let (client, mut connection) = Client::new(shared.options.clone(), shared.requests);
        let before = shared.state.lock().generation;
        let polled = poll(shared, ear, &client, &mut connection);
        drop((client, connection));
        let End::Lost(fault) = polled else {
            return;
        };
        let was_up = shared.state.lock().generation != before;
        let is_taken = fault.kind() == StoreFaultKind::Taken;
        shared.tell(Some(&fault));
        shared.lose(fault);
        let Some(ear) = ear.upgrade() else {
            return;
        };
        ear.lost();
        drop(ear);
        if was_up {
            backoff.reset();
        }
        if is_taken || shared.state.lock().is_closed {
            return;
        }
        shared.rest(backoff.rest());
    }
}

fn poll(shared: &Shared, ear: &Weak<dyn Ear>, client: &Client, connection: &mut Connection) -> End {
    let mut mail = Mail::new((client, connection), &shared.nudge);
    loop {
        let event = match mail.next(SILENCE) {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => return End::Lost(shared.fault(&error)),
            Err(RecvTimeoutError::Timeout) => return End::Lost(shared.no_answer()),
            Err(RecvTimeoutError::Disconnected) => return End::Closed,
        };
        let Some(ear) = ear.upgrade() else {
            return End::Closed;
        };
        match event {
            Event::Incoming(Packet::ConnAck(ack)) => {
                let first = ear.begun(ack.session_present);
                let has_first = !first.is_empty();
                shared.begin(client, first);
                shared.tell(None);
                if !has_first {
                    ear.settled_in();
                }
            }
            Event::Incoming(Packet::Publish(publish)) => ear.heard(publish),
            Event::Incoming(Packet::PubAck(ack)) => mail.expects(ear.confirmed(&ack)),
            Event::Incoming(Packet::SubAck(ack)) => {
                let is_refused =
                    |code: &SubscribeReasonCode| !matches!(code, SubscribeReasonCode::Success(_));
                let refused = ack.return_codes.iter().find(|code| is_refused(code));
                let refusal = refused.map(|code| {
                    unsupported(format!(
                        "`{}` does not let us subscribe: {code:?}",
                        shared.address
                    ))
                });
                if shared.answer(refusal) {
                    ear.settled_in();
                }
            }
            Event::Incoming(Packet::UnsubAck(_)) if shared.answer(None) => ear.settled_in(),
            Event::Outgoing(Outgoing::Disconnect) if shared.state.lock().is_closed => {
                return End::Closed;
            }
            _ => {}
        }
        if let Some(end) = shared.end() {
            return end;
        }
    }
}
