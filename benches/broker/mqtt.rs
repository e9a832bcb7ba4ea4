//! A topic of an MQTT broker, at least once, with a session that is kept.

use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rumqttc::NetworkOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, PublishProperties};
use rumqttc::v5::{Client, Connection, Event, MqttOptions};

use crate::bare::{Ends, Load, Pages, Reader, Trouble, Writer};
use crate::brokers;

/// Requests that may wait, and messages that are not acknowledged.
const MANY: u16 = 1_000;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn open(url: &str, load: Load) -> Result<Ends, Trouble> {
    let topic = brokers::own("bench");
    let place = url.strip_prefix("mqtt://").ok_or("a URL of MQTT")?;
    let (host, port) = place.split_once(':').ok_or("a host and a port")?;
    let port: u16 = port.parse()?;
    let options = |role: &str| {
        let mut options = MqttOptions::new(format!("{topic}-{role}"), host, port);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        options
    };
    let mut kept = options("reader");
    kept.set_manual_acks(true);
    kept.set_clean_start(false);
    kept.set_session_expiry_interval(Some(60));
    kept.set_receive_maximum(Some(MANY));
    let (reader, connection) = Client::new(kept, usize::from(MANY));
    let heard = listen(connection)?;
    reader.subscribe(topic.as_str(), QoS::AtLeastOnce)?;
    while !matches!(heard.recv_timeout(PATIENCE)?, Heard::Subscribed) {}
    let (writer, connection) = Client::new(options("writer"), usize::from(MANY));
    Ok(Ends {
        writer: Box::new(Sending {
            client: writer,
            heard: listen(connection)?,
            topic,
            pages: load.pages(""),
        }),
        reader: Box::new(Receiving {
            client: reader,
            heard,
        }),
    })
}

/// What comes over a connection.
enum Heard {
    Subscribed,
    Confirmed,
    Message(Box<Publish>),
}

/// Moves a connection on, until nobody listens any more.
fn listen(mut connection: Connection) -> Result<Receiver<Heard>, Trouble> {
    let (tell, heard): (Sender<Heard>, _) = unbounded();
    let builder = thread::Builder::new().name(String::from("bare-mqtt"));
    builder.spawn(move || {
        while let Ok(Ok(event)) = connection.recv() {
            let heard = match event {
                Event::Incoming(Packet::SubAck(_)) => Heard::Subscribed,
                Event::Incoming(Packet::PubAck(_)) => Heard::Confirmed,
                Event::Incoming(Packet::Publish(message)) => Heard::Message(Box::new(message)),
                _ => continue,
            };
            if tell.send(heard).is_err() {
                return;
            }
        }
    })?;
    Ok(heard)
}

struct Sending {
    client: Client,
    heard: Receiver<Heard>,
    topic: String,
    pages: Pages,
}

impl Writer for Sending {
    fn write(&mut self, messages: usize) -> Result<(), Trouble> {
        for _ in 0..messages {
            let page = self.pages.turn();
            let (topic, body) = (self.topic.as_str(), page.body.clone());
            let properties = PublishProperties {
                user_properties: page.attributes.clone(),
                ..PublishProperties::default()
            };
            let qos = QoS::AtLeastOnce;
            self.client
                .publish_with_properties(topic, qos, false, body, properties)?;
        }
        let mut missing = messages;
        while missing > 0 {
            if let Heard::Confirmed = self.heard.recv_timeout(PATIENCE)? {
                missing -= 1;
            }
        }
        Ok(())
    }
}

struct Receiving {
    client: Client,
    heard: Receiver<Heard>,
}

impl Reader for Receiving {
    fn read(&mut self, most: usize) -> Result<usize, Trouble> {
        let mut next = Some(self.heard.recv_timeout(PATIENCE)?);
        let mut found = 0;
        while let Some(heard) = next {
            if let Heard::Message(message) = heard {
                self.client.ack(&message)?;
                found += 1;
            }
            next = match found < most {
                true => self.heard.try_recv().ok(),
                false => None,
            };
        }
        Ok(found)
    }
}
