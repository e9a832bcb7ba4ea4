//! MQTT 5: publish-subscribe channels.
//!
//! A channel is a topic of its name. Messages are sent at least once (QoS 1), and a send returns when the
//! broker has confirmed all of it; how safe that is over a crash of the broker is its own setting. Each
//! subscriber has a session at the broker, which keeps what it has not confirmed. A channel that is
//! `retained` leaves its last message with the broker, which gives it to whoever comes later.
//!
//! # URL
//!
//! `mqtt://USER:PASSWORD@HOST:PORT?prefix=P&window=N&session=SECONDS&timeout=SECONDS`. Write what is secret as `${NAME}` in
//! the wiring file: it is taken from the environment, and never shown. All topics, and the names by which we
//! are known to the broker, begin with the prefix. A subscriber has at most so many messages that are not
//! settled (1000, or what the broker allows, if that is less); the broker forgets one that has been away for
//! so many seconds (a week), and what it was to get. A broker that gives no answer for `timeout` (ten
//! seconds) is away. `mqtts://` is an encrypted connection, with the feature `tls`; the certificates in the file
//! `ca` are trusted then, or those of the system.
//!
//! # What MQTT cannot do
//!
//! It knows no identities: a send that was not confirmed is made again, and its messages may come twice. It
//! has no way to give a message back: retries happen in the program that has the message, with attempts
//! counted there, and after a crash everything that was not confirmed comes again, as for the first time.
//! Messages are confirmed in the order in which they came, so one that rests holds the confirmation of those
//! behind it, but not the messages themselves. A writer waits for the subscribers that are in its own
//! program; of others only the broker knows how far they are, and what is too much for it, it drops
//! (Mosquitto: `max_queued_messages`).
//!
//! There are no queues. What is set aside goes to the topic of the dead-letter queue; if nobody subscribes to
//! that, a session by the name of the topic and `/parked` is made for it, in which the broker keeps it for
//! good. Whoever connects by that name gets it.
//!
//! # When the broker is away
//!
//! Calls are refused as [`Unavailable`](paperflow_core::connector::StoreFaultKind::Unavailable), and the
//! broker is tried again after growing rests; once it is there everybody who waits is called.
//!
//! # Small packets
//!
//! A broker that gathers small packets, as Mosquitto does without `set_tcp_nodelay true`, holds its answers back
//! until a client has acknowledged the one before, which takes 40 ms when the client has nothing to say. So
//! whoever waits for more answers says something: an empty message without a promise to `paperflow/nudge`,
//! below the prefix, which nobody reads. A broker that does not allow that may drop it.
//!
//! # Runs and parts
//!
//! The number of a graph's run, and what its parts tell each other, are retained messages below
//! `paperflow/runs` and `paperflow/notes`. MQTT cannot compare and set: two parts that end one run at the
//! same moment write the same number, but one that is held up in the middle of that for as long as a whole
//! further run takes would set it back.

mod board;
mod channel;
mod line;
mod mail;
mod session;
mod wire;
mod writer;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use paperflow_core::connector::{
    Capabilities, Connector, ConnectorKind, ContactListener, Declaration, Desk, Notes, Standing,
    Store, StoreFault, StoreFaultKind,
};
use parking_lot::Mutex;
use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, RetainForwardRule};
use rumqttc::v5::{Client, MqttOptions};

use crate::broker::patience::Backoff;
use crate::broker::presence::{Presence, answer_time, session as new_session};
use crate::broker::threads;
use crate::broker::{Access, Address, aside, no_tables};
use crate::clock::{Clock, SystemClock};
use crate::fault::{unavailable, unsupported};
use crate::streams::{Answer, Request};
use board::Board;
use channel::Channel;
use line::{ALIVE, Line};
use session::Session;
use wire::Packed;
use writer::{Way, Writer};

/// Most unsettled messages of a subscriber, if the URL says nothing else.
const WINDOW: u16 = 1_000;
/// For how long a broker keeps a session, if the URL says nothing else: a week.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// No packet of MQTT is longer.
const LONGEST: u32 = 268_435_455;
/// Requests of a sender that may wait for the thread of its connection.
const REQUESTS: usize = 1_000;

/// What channels can do here.
const CHANNELS: Capabilities = Capabilities {
    settles_each: false,
    requeues: false,
    delays: true,
    dead_letters: false,
    renews: false,
    orders: true,
    replays: false,
    knows_ids: false,
    transactions: false,
};

/// Keeps publish-subscribe channels on an MQTT broker.
pub struct Mqtt {
    inner: Arc<Inner>,
}

/// How it is written to.
struct Settings {
    address: Address,
    is_structured: bool,
    prefix: String,
    window: u16,
    kept: Duration,
    /// How long the broker may take to answer.
    answer: Duration,
    /// The file of certificates that are trusted in place of those of the system.
    ca: Option<String>,
}

/// What is open.
struct Inner {
    settings: Settings,
    /// Who this is, among all who use the broker.
    session: String,
    clock: Arc<dyn Clock>,
    presence: Arc<Presence>,
    /// Sends what is no message of a channel.
    writer: Arc<Writer>,
    channels: Mutex<BTreeMap<String, Arc<Channel>>>,
    boards: Mutex<BTreeMap<String, Arc<Board>>>,
    orders: Sender<Weak<Session>>,
}

impl Mqtt {
    /// Opens a broker as a store.
    ///
    /// # Errors
    /// The broker cannot be reached (`Unavailable`), or refuses us (`Unsupported`).
    pub fn open(access: &Access) -> Result<Self, StoreFault> {
        Self::open_at(access, Arc::new(SystemClock::default()))
    }

    /// Opens a broker; rests are over when a clock says so.
    ///
    /// # Errors
    /// See [`open`](Self::open).
    pub fn open_at(access: &Access, clock: Arc<dyn Clock>) -> Result<Self, StoreFault> {
        let settings = Settings::of(access)?;
        let session = new_session();
        let presence = Arc::new(Presence::new(&settings.address, &session));
        let line = settings.sender(&session)?.telling(&presence);
        let writer = Writer::open(line)?;
        writer.line.client()?;
        let (orders, jobs) = crossbeam_channel::unbounded();
        let inner = Arc::new(Inner {
            settings,
            session,
            clock,
            presence,
            writer,
            channels: Mutex::default(),
            boards: Mutex::default(),
            orders,
        });
        let own = Arc::downgrade(&inner);
        threads::start("mqtt-aside", move || keep(&own, &jobs))?;
        Ok(Self { inner })
    }

    /// Asks about channels, as far as this program knows them.
    ///
    /// # Errors
    /// It is about streams, which MQTT does not have (`Unsupported`).
    pub fn ask_streams(&self, request: Request) -> Result<Answer, StoreFault> {
        match request {
            Request::Channels => {
                let channels = self.inner.channels();
                let all = channels.iter().map(|channel| channel.status());
                Ok(Answer::Channels(all.collect()))
            }
            _ => Err(unsupported("MQTT keeps no streams")),
        }
    }

    /// Cuts all lines, as if this process had died: nothing is given back, nobody is told.
    #[cfg(feature = "compliance")]
    pub fn cut(&self) {
        self.inner.close();
    }
}

impl Settings {
    fn of(access: &Access) -> Result<Self, StoreFault> {
        let mut settings = access.settings();
        let window = settings.number("window")?.unwrap_or(u64::from(WINDOW));
        let window = u16::try_from(window).ok().filter(|window| *window > 0);
        let window = window.ok_or_else(|| unsupported("`window` is from 1 to 65535"))?;
        let own = Self {
            address: access.address.clone(),
            is_structured: access.is_structured,
            prefix: settings.text("prefix").unwrap_or_default(),
            window,
            kept: settings.seconds("session")?.unwrap_or(KEPT),
            answer: answer_time(&mut settings)?,
            ca: settings.authority(access.address.scheme == "mqtts", "mqtts://")?,
        };
        settings.done()?;
        if !own.address.path.is_empty() {
            return Err(unsupported(format!(
                "`{}`: a broker of MQTT has no `/{}`; topics begin with `prefix`",
                own.address, own.address.path
            )));
        }
        own.topic("")?;
        Ok(own)
    }

    /// The topic of a channel.
    ///
    /// # Errors
    /// There can be no such topic.
    fn topic(&self, name: &str) -> Result<String, StoreFault> {
        let topic = format!("{}{name}", self.prefix);
        let is_topic = !topic.contains(['+', '#', '\0']) && !topic.starts_with('$');
        match is_topic && topic.len() < usize::from(u16::MAX) {
            true => Ok(topic),
            false => Err(unsupported(format!(
                "`{topic}` cannot be a topic of MQTT: it has `+` or `#`, begins with `$`, or is too long"
            ))),
        }
    }

    /// How a client of this name connects.
    fn options(&self, client: String) -> Result<MqttOptions, StoreFault> {
        let address = &self.address;
        let host = match address.host.contains(':') {
            true => format!("[{}]", address.host),
            false => address.host.clone(),
        };
        let (transport, usual) = match address.scheme.as_str() {
            "mqtts" => (encrypted(self.ca.as_deref())?, 8883),
            _ => (rumqttc::Transport::Tcp, 1883),
        };
        let mut options = MqttOptions::new(client, host, address.port.unwrap_or(usual));
        options.set_transport(transport);
        options.set_keep_alive(ALIVE);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        options.set_manual_acks(true);
        options.set_max_packet_size(Some(LONGEST));
        let user = address.user.clone();
        if user.is_some() || address.password.is_some() {
            let password = address.password.clone().unwrap_or_default();
            options.set_credentials(user.unwrap_or_default(), password);
        }
        Ok(options)
    }

    /// A line on which so many requests may wait.
    fn line(&self, options: MqttOptions, requests: usize) -> Line {
        let nudge = format!("{}paperflow/nudge", self.prefix);
        Line::new(options, (&self.address, self.answer), requests, nudge)
    }

    /// A connection that only sends; what it sends is not kept for a next one.
    fn sender(&self, session: &str) -> Result<Line, StoreFault> {
        static MADE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let made = MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("{}paperflow/{session}/{made}", self.prefix);
        let options = self.options(name)?;
        Ok(self.line(options, REQUESTS))
    }

    /// A connection whose session is kept while it is away, by its name.
    fn keeper(&self, name: &str, kept: Option<Duration>) -> Result<MqttOptions, StoreFault> {
        let mut options = self.options(name.to_owned())?;
        options.set_clean_start(false);
        options.set_receive_maximum(Some(self.window));
        // Without a number it is kept for good.
        let seconds = kept.map_or(u64::from(u32::MAX), |kept| kept.as_secs());
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        options.set_session_expiry_interval(Some(seconds));
        Ok(options)
    }

    /// Who writes, for the envelope.
    fn source(&self, connector: &str) -> String {
        format!("paperflow:{connector}")
    }
}

#[cfg(feature = "tls")]
fn encrypted(ca: Option<&str>) -> Result<rumqttc::Transport, StoreFault> {
    use rumqttc::{TlsConfiguration, Transport};
    if let Some(ca) = ca {
        return Ok(Transport::tls(crate::broker::certificates(ca)?, None, None));
    }
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (known, _) = roots.add_parsable_certificates(found.certs);
    if known == 0 {
        return Err(unsupported(
            "the system has no certificates to trust: say `ca=FILE` in the URL",
        ));
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots);
    let config = Arc::new(config.with_no_client_auth());
    Ok(Transport::tls_with_config(TlsConfiguration::Rustls(config)))
}

#[cfg(not(feature = "tls"))]
fn encrypted(_: Option<&str>) -> Result<rumqttc::Transport, StoreFault> {
    Err(unsupported(
        "`mqtts` is encrypted, and this build cannot do that: build it with the feature `tls`",
    ))
}

/// Connects, does one thing, and leaves; what belongs to the session is as the options say.
fn visit(
    options: MqttOptions,
    settings: &Settings,
    filter: Option<Filter>,
) -> Result<(), StoreFault> {
    let address = &settings.address;
    use rumqttc::v5::Event;
    use rumqttc::v5::mqttbytes::v5::Packet;
    let away = |what: String| unavailable(format!("`{address}` cannot be reached: {what}"));
    let (client, mut connection) = Client::new(options, REQUESTS);
    let leave = || {
        client
            .try_disconnect()
            .map_err(|error| away(error.to_string()))
    };
    let end = Instant::now() + settings.answer;
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        let event = connection.recv_timeout(rest);
        let event = event.map_err(|_| away(String::from("no answer")))?;
        match event.map_err(|error| away(error.to_string()))? {
            Event::Incoming(Packet::ConnAck(_)) => match &filter {
                Some(filter) => client
                    .try_subscribe_many([filter.clone()])
                    .map_err(|error| away(error.to_string()))?,
                None => leave()?,
            },
            Event::Incoming(Packet::SubAck(_)) => leave()?,
            Event::Outgoing(rumqttc::Outgoing::Disconnect) => return Ok(()),
            _ => {}
        }
    }
}

impl Inner {
    fn channels(&self) -> Vec<Arc<Channel>> {
        self.channels.lock().values().cloned().collect()
    }

    /// Those who wait for room in a channel look again.
    fn call_writers(&self, topic: &str) {
        let channels = self.channels();
        let own = channels.iter().filter(|channel| channel.topic == topic);
        own.for_each(|channel| channel.call_writers());
    }

    /// Leaves a text with the broker, in the place of what was there.
    fn retain(&self, topic: &str, text: &str) -> Result<(), StoreFault> {
        let packed = Packed::plain(text);
        let way = Way {
            topic,
            retain: true,
        };
        self.writer.send(way, vec![packed]).map(|_| ())
    }

    /// Where it stands who reads by a name.
    fn claim(&self, name: &str) -> String {
        let prefix = &self.settings.prefix;
        format!("{prefix}paperflow/readers/{}", board::written(name))
    }

    /// The broker forgets a session, and who had it.
    fn forget(&self, name: &str) -> Result<(), StoreFault> {
        self.retain(&self.claim(name), "")?;
        let mut options = self.settings.options(name.to_owned())?;
        options.set_clean_start(true);
        visit(options, &self.settings, None)
    }

    /// What is set aside by a session is copied soon.
    fn set_aside_later(&self, session: &Arc<Session>) {
        // Nobody takes orders when the store is closed; then what is not confirmed is delivered again.
        let _ = self.orders.send(Arc::downgrade(session));
    }

    /// Copies a message to a topic for what is set aside, and returns when it is safe there.
    fn set_aside(&self, queue: &str, copy: Packed) -> Result<(), StoreFault> {
        let topic = self.settings.topic(queue)?;
        let way = Way {
            topic: &topic,
            retain: false,
        };
        if self.writer.send(way, vec![copy.clone()])? == 0 {
            return Ok(());
        }
        let mut filter = Filter::new(&*topic, QoS::AtLeastOnce);
        filter.retain_forward_rule = RetainForwardRule::Never;
        let parked = self.settings.keeper(&format!("{topic}/parked"), None)?;
        visit(parked, &self.settings, Some(filter))?;
        match self.writer.send(way, vec![copy])? {
            0 => Ok(()),
            _ => Err(unavailable(format!(
                "the broker does not keep what is sent to `{topic}`"
            ))),
        }
    }

    fn board(&self, graph: &str) -> Result<Arc<Board>, StoreFault> {
        let mut boards = self.boards.lock();
        if let Some(board) = boards.get(graph) {
            return Ok(Arc::clone(board));
        }
        let board = Board::open(self, graph)?;
        boards.insert(graph.to_owned(), Arc::clone(&board));
        Ok(board)
    }

    fn close(&self) {
        for channel in self.channels() {
            channel.cut();
        }
        self.boards.lock().values().for_each(|board| board.cut());
        self.writer.line.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// Copies what is set aside, until the store is closed.
fn keep(store: &Weak<Inner>, jobs: &Receiver<Weak<Session>>) {
    let mut backoff = Backoff::of("mqtt-aside");
    let mut left: Vec<Weak<Session>> = Vec::new();
    let mut next: Option<Instant> = None;
    loop {
        let job = match next {
            Some(next) => jobs.recv_timeout(next.saturating_duration_since(Instant::now())),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(session) => left.push(session),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some(inner) = store.upgrade() else {
            return;
        };
        if next.is_some_and(|next| Instant::now() < next) {
            continue;
        }
        left.retain(|session| {
            let done = session.upgrade().map(|session| session.set_aside(&inner));
            match done {
                Some(Err(fault)) if fault.kind() == StoreFaultKind::Unavailable => {
                    tracing::debug!("what is to be set aside is copied later: {fault}");
                    true
                }
                Some(Err(fault)) => {
                    tracing::error!("a message cannot be set aside, and stays: {fault}");
                    false
                }
                _ => false,
            }
        });
        next = match left.is_empty() {
            true => {
                backoff.reset();
                None
            }
            false => Some(Instant::now() + backoff.rest()),
        };
    }
}

impl Store for Mqtt {
    fn name(&self) -> &str {
        "mqtt"
    }

    fn capabilities(&self, kind: ConnectorKind) -> Option<Capabilities> {
        (kind == ConnectorKind::Pubsub).then_some(CHANNELS)
    }

    fn connect(&self, declaration: &Declaration) -> Result<Arc<dyn Connector>, StoreFault> {
        let Declaration { name, kind, .. } = declaration;
        if *kind != ConnectorKind::Pubsub {
            return Err(unsupported(format!(
                "`{name}` is a {kind}, and MQTT keeps only `pubsub`"
            )));
        }
        aside::is_elsewhere(declaration)?;
        let topic = self.inner.settings.topic(name)?;
        let mut channels = self.inner.channels.lock();
        let channel = channels
            .entry(name.clone())
            .or_insert_with(|| Arc::new(Channel::new(topic, declaration.clone())));
        channel.declare(declaration.clone());
        Ok(Arc::new(channel::Handle {
            channel: Arc::clone(channel),
            inner: Arc::clone(&self.inner),
        }))
    }

    /// A topic is there for whoever sends to it, and has no settings.
    fn inspect(&self, declaration: &Declaration) -> Result<Standing, StoreFault> {
        self.inner.settings.topic(&declaration.name)?;
        Ok(Standing::Present(Vec::new()))
    }

    fn desk(&self, process: &str) -> Result<Arc<dyn Desk>, StoreFault> {
        Err(no_tables("MQTT", process))
    }

    fn epoch(&self, graph: &str) -> Result<u64, StoreFault> {
        self.inner.board(graph)?.epoch()
    }

    fn finish(&self, graph: &str, epoch: u64) -> Result<(), StoreFault> {
        self.inner.board(graph)?.finish(epoch)
    }

    fn notes(&self, graph: &str) -> Result<Option<Arc<dyn Notes>>, StoreFault> {
        let board: Arc<dyn Notes> = self.inner.board(graph)?;
        Ok(Some(board))
    }

    fn on_contact(&self, listener: ContactListener) {
        self.inner.presence.listen(listener);
    }

    fn close(&self) {
        self.inner.close();
    }
}
