//! What comes over a connection.
//!
//! A broker that gathers small packets (RFC 896) holds back what it has for us until it knows that we have what
//! it sent before, and a system with nothing to say tells it so 40 ms later. So whoever waits for more, and has
//! nothing to say, says something that wants no answer.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Connection, ConnectionError, Event, RecvTimeoutError};

/// So long one waits before one says something only to be heard: a message that has come is confirmed before that,
/// if who has it is fast.
const HANDLING: Duration = Duration::from_millis(2);

pub(super) struct Mail<'a> {
    client: &'a Client,
    connection: &'a mut Connection,
    /// How long nothing may be said from now on, if nothing was said since the last that came.
    silence: Option<Duration>,
    nudge: &'a str,
}

impl<'a> Mail<'a> {
    /// What is said only to be heard goes to the topic `nudge`.
    pub(super) const fn new(
        (client, connection): (&'a Client, &'a mut Connection),
        nudge: &'a str,
    ) -> Self {
        Self {
            client,
            connection,
            silence: None,
            nudge,
        }
    }

    /// What comes next, within this time.
    pub(super) fn next(
        &mut self,
        most: Duration,
    ) -> Result<Result<Event, ConnectionError>, RecvTimeoutError> {
        let event = self.listen(most)?;
        match &event {
            Ok(Event::Incoming(Packet::Publish(_))) => self.silence = Some(HANDLING),
            // The next message is waited for, whenever it comes.
            Ok(Event::Incoming(Packet::UnsubAck(_))) => self.expects(true),
            Ok(Event::Outgoing(_)) => self.silence = None,
            _ => {}
        }
        Ok(event)
    }

    /// Whether more is to come after what came last.
    pub(super) fn expects(&mut self, more: bool) {
        self.silence = more.then_some(Duration::ZERO);
    }

    fn listen(
        &mut self,
        most: Duration,
    ) -> Result<Result<Event, ConnectionError>, RecvTimeoutError> {
        if let Some(silence) = self.silence {
            match self.connection.recv_timeout(silence) {
                Err(RecvTimeoutError::Timeout) => self.silence = None,
                event => return event,
            }
            let (topic, qos) = (self.nudge, QoS::AtMostOnce);
            // A full channel has something to say.
            let _ = self.client.try_publish(topic, qos, false, Vec::new());
        }
        self.connection.recv_timeout(most)
    }
}
