//! A JetStream whose messages go once they are acknowledged, as a queue.

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, message::PublishMessage};
use tokio::runtime::{Handle, Runtime};

use crate::bare::{Ends, Load, Pages, Reader, Trouble, Writer};
use crate::{brokers, tasks};

pub(crate) fn open(url: &str, load: Load) -> Result<Ends, Trouble> {
    let runtime = tasks::runtime()?;
    let name = brokers::own("bench");
    let (context, messages) = runtime.block_on(async {
        let context = jetstream::new(async_nats::connect(url).await?);
        let stream = context.create_stream(Config {
            name: name.clone(),
            subjects: vec![name.clone()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            ..Config::default()
        });
        let stream = stream.await?;
        let consumer = stream.create_consumer(pull::Config {
            durable_name: Some(String::from("bare")),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: 20_000,
            ..pull::Config::default()
        });
        let consumer = consumer.await?;
        let messages = consumer.stream().max_messages_per_batch(1_000);
        Ok::<_, Trouble>((context, messages.messages().await?))
    })?;
    let handle = runtime.handle().clone();
    Ok(Ends {
        writer: Box::new(Sending {
            context,
            subject: name,
            pages: load.pages("ce-"),
            runtime: handle.clone(),
        }),
        reader: Box::new(Receiving {
            messages,
            handle,
            _runtime: runtime,
        }),
    })
}

struct Sending {
    context: Context,
    subject: String,
    pages: Pages,
    runtime: Handle,
}

impl Writer for Sending {
    fn write(&mut self, messages: usize) -> Result<(), Trouble> {
        self.runtime.block_on(async {
            let mut confirmations = Vec::with_capacity(messages);
            for _ in 0..messages {
                let page = self.pages.turn();
                let (subject, body) = (self.subject.clone(), page.body.clone());
                let mut letter = PublishMessage::build().payload(body.into());
                if let Some((_, id)) = page.attributes.first() {
                    // The server looks for it by itself.
                    letter = letter.message_id(id);
                }
                for (name, value) in &page.attributes {
                    letter = letter.header(name.as_str(), value.as_str());
                }
                let sent = self.context.send_publish(subject, letter).await?;
                confirmations.push(sent.into_future());
            }
            for confirmation in confirmations {
                confirmation.await?;
            }
            Ok(())
        })
    }
}

struct Receiving {
    messages: pull::Stream,
    handle: Handle,
    /// Ends with the reader.
    _runtime: Runtime,
}

impl Reader for Receiving {
    fn read(&mut self, most: usize) -> Result<usize, Trouble> {
        self.handle.block_on(async {
            let mut found = 0;
            for message in tasks::some(&mut self.messages, most).await? {
                message?.ack().await?;
                found += 1;
            }
            Ok(found)
        })
    }
}
