//! A topic of Kafka with one partition, written by an idempotent producer and read by a consumer group.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};

use crate::bare::{Ends, Load, Pages, Reader, Trouble, Writer};
use crate::brokers;

pub(crate) fn open(url: &str, load: Load) -> Result<Ends, Trouble> {
    let topic = brokers::own("bench");
    let config = |settings: &[(&str, &str)]| {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", url);
        for (name, value) in settings {
            config.set(*name, *value);
        }
        config
    };
    let admin: AdminClient<DefaultClientContext> = config(&[]).create()?;
    let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(-1));
    let (new, options) = ([new], AdminOptions::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for made in runtime.block_on(admin.create_topics(&new, &options))? {
        made.map_err(|(name, code)| format!("`{name}` cannot be made: {code}"))?;
    }
    let (tell, heard) = unbounded();
    let producer = config(&[
        ("enable.idempotence", "true"),
        ("acks", "all"),
        ("linger.ms", "0.2"),
    ]);
    let producer = producer.create_with_context(Told(tell))?;
    // What was read is committed 20 times a second, once it has been handled.
    let consumer: BaseConsumer = config(&[
        ("group.id", &topic),
        ("enable.auto.commit", "true"),
        ("auto.commit.interval.ms", "50"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "earliest"),
    ])
    .create()?;
    consumer.subscribe(&[&topic])?;
    Ok(Ends {
        writer: Box::new(Sending {
            producer,
            heard,
            topic,
            pages: load.pages("ce_"),
        }),
        reader: Box::new(Receiving { consumer }),
    })
}

/// Tells what became of each record.
struct Told(Sender<Result<(), String>>);

impl ClientContext for Told {}

impl ProducerContext for Told {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let result = result.as_ref().map(|_| ());
        // Nobody hears it when the bench is over.
        let _ = self.0.send(result.map_err(|(error, _)| error.to_string()));
    }
}

struct Sending {
    producer: ThreadedProducer<Told>,
    heard: Receiver<Result<(), String>>,
    topic: String,
    pages: Pages,
}

impl Writer for Sending {
    fn write(&mut self, messages: usize) -> Result<(), Trouble> {
        for _ in 0..messages {
            let page = self.pages.turn();
            let mut record = BaseRecord::<(), [u8]>::to(&self.topic).payload(&page.body);
            if !page.attributes.is_empty() {
                let headers = OwnedHeaders::new_with_capacity(page.attributes.len());
                let headers = page
                    .attributes
                    .iter()
                    .fold(headers, |headers, (key, value)| {
                        let value = Some(value.as_str());
                        headers.insert(Header { key, value })
                    });
                record = record.headers(headers);
            }
            self.producer.send(record).map_err(|(error, _)| error)?;
        }
        for _ in 0..messages {
            self.heard.recv()??;
        }
        Ok(())
    }
}

struct Receiving {
    consumer: BaseConsumer,
}

impl Reader for Receiving {
    fn read(&mut self, most: usize) -> Result<usize, Trouble> {
        // A group takes some seconds to begin.
        let end = Instant::now() + Duration::from_secs(30);
        let (mut found, mut wait) = (0, Duration::from_millis(100));
        while found < most {
            match self.consumer.poll(wait) {
                Some(record) => {
                    self.consumer.store_offset_from_message(&record?)?;
                    found += 1;
                    wait = Duration::ZERO;
                }
                None if found > 0 => break,
                None if Instant::now() > end => return Err("nothing comes".into()),
                None => {}
            }
        }
        Ok(found)
    }
}
