//! What a URL says of a Kafka.

use std::time::Duration;

use paperflow_core::connector::StoreFault;
use rdkafka::config::ClientConfig;

use crate::broker::presence::answer_time;
use crate::broker::{Access, Address};
use crate::fault::unsupported;

/// How long a program may give no sign of life before its partitions are given to others.
const SESSION: Duration = Duration::from_secs(10);
/// How long who works on records of a partition may keep it, when another one is to have it.
const HOLD: Duration = Duration::from_secs(60);
/// The port that brokers usually have.
const PORT: u16 = 9092;

/// How it is read and written to.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) is_structured: bool,
    pub(super) prefix: String,
    /// On how many brokers each record lies; what the brokers say, if it is -1.
    pub(super) replicas: i32,
    /// How long an answer may take.
    pub(super) answer: Duration,
    pub(super) session: Duration,
    pub(super) hold: Duration,
    brokers: Option<String>,
    mechanism: Option<String>,
    is_encrypted: bool,
    authority: Option<String>,
}

impl Settings {
    pub(super) fn of(access: &Access) -> Result<Self, StoreFault> {
        let mut settings = access.settings();
        let replicas = settings.number("replicas")?;
        let replicas = replicas.map(|replicas| i32::try_from(replicas).unwrap_or(i32::MAX));
        let is_encrypted = match settings.text("tls").as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => {
                return Err(unsupported(format!("`tls={other}` is neither yes nor no")));
            }
        };
        let known = Self {
            is_structured: access.is_structured,
            prefix: settings.text("prefix").unwrap_or_default(),
            replicas: replicas.unwrap_or(-1),
            answer: answer_time(&mut settings)?,
            session: settings.seconds("session")?.unwrap_or(SESSION),
            hold: settings.seconds("hold")?.unwrap_or(HOLD),
            brokers: settings.text("brokers"),
            mechanism: settings.text("sasl"),
            is_encrypted,
            authority: settings.authority(is_encrypted, "tls=yes")?,
        };
        settings.done()?;
        if known.is_encrypted {
            can_encrypt(known.authority.as_deref())?;
        }
        Ok(known)
    }

    /// What every client is made with.
    pub(super) fn config(&self, address: &Address) -> ClientConfig {
        let mut config = ClientConfig::new();
        let (host, port) = (&address.host, address.port.unwrap_or(PORT));
        let first = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let more = self.brokers.iter().cloned();
        let servers: Vec<String> = std::iter::once(first).chain(more).collect();
        config
            .set("bootstrap.servers", servers.join(","))
            .set("client.id", "paperflow")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("topic.metadata.refresh.interval.ms", "10000")
            .set("allow.auto.create.topics", "false");
        let is_known = address.user.is_some();
        let protocol = match (is_known, self.is_encrypted) {
            (false, false) => "plaintext",
            (false, true) => "ssl",
            (true, false) => "sasl_plaintext",
            (true, true) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(user) = &address.user {
            let mechanism = self.mechanism.as_deref().unwrap_or("PLAIN");
            let password = address.password.as_deref().unwrap_or_default();
            config
                .set("sasl.mechanisms", mechanism)
                .set("sasl.username", user)
                .set("sasl.password", password);
        }
        if let Some(authority) = &self.authority {
            config.set("ssl.ca.location", authority);
        }
        config
    }

    /// Signs of life come often enough that a group soon hears of who comes and goes.
    pub(super) fn heartbeat(&self) -> Duration {
        (self.session / 20).max(Duration::from_millis(50))
    }

    /// Who writes, for the envelope.
    pub(super) fn source(&self, connector: &str) -> String {
        format!("paperflow:{connector}")
    }
}

/// Whether connections can be encrypted, and such certificates trusted.
#[cfg(feature = "kafka-tls")]
fn can_encrypt(authority: Option<&str>) -> Result<(), StoreFault> {
    // The client reads the file by itself, and is less clear about what is wrong with it.
    authority
        .map(crate::broker::certificates)
        .transpose()
        .map(|_| ())
}

#[cfg(not(feature = "kafka-tls"))]
fn can_encrypt(_: Option<&str>) -> Result<(), StoreFault> {
    Err(unsupported(
        "this build has no encrypted connections: build it with the feature `kafka-tls`",
    ))
}
