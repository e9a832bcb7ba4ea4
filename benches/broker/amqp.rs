//! A quorum queue of RabbitMQ, with confirms and acknowledgements.

use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tokio::runtime::{Handle, Runtime};

use crate::bare::{Ends, Load, Pages, Reader, Trouble, Writer};
use crate::{brokers, tasks};

/// Messages are on the disk before they are confirmed.
const PERSISTENT: u8 = 2;

pub(crate) fn open(url: &str, load: Load) -> Result<Ends, Trouble> {
    let runtime = tasks::runtime()?;
    let name = brokers::own("bench");
    let (connection, channel, deliveries) = runtime.block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert(
            "x-queue-type".into(),
            AMQPValue::LongString("quorum".into()),
        );
        let durable = QueueDeclareOptions::durable();
        channel
            .queue_declare(name.as_str().into(), durable, arguments)
            .await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let reading = connection.create_channel().await?;
        reading.basic_qos(2_000, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let deliveries = reading
            .basic_consume(
                name.as_str().into(),
                "bare".into(),
                options,
                FieldTable::default(),
            )
            .await?;
        Ok::<_, Trouble>((connection, channel, deliveries))
    })?;
    let handle = runtime.handle().clone();
    Ok(Ends {
        writer: Box::new(Sending {
            channel,
            queue: name,
            pages: load.pages("cloudEvents_"),
            runtime: handle.clone(),
        }),
        reader: Box::new(Receiving {
            deliveries,
            handle,
            _connection: connection,
            _runtime: runtime,
        }),
    })
}

struct Sending {
    channel: Channel,
    queue: String,
    pages: Pages,
    runtime: Handle,
}

impl Writer for Sending {
    fn write(&mut self, messages: usize) -> Result<(), Trouble> {
        self.runtime.block_on(async {
            let options = BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            };
            let mut confirmations = Vec::with_capacity(messages);
            for _ in 0..messages {
                let page = self.pages.turn();
                let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
                if let Some((_, id)) = page.attributes.first() {
                    properties = properties.with_message_id(id.as_str().into());
                    let mut headers = FieldTable::default();
                    for (name, value) in &page.attributes {
                        let value = AMQPValue::LongString(value.as_str().into());
                        headers.insert(name.as_str().into(), value);
                    }
                    properties = properties.with_headers(headers);
                }
                let queue = self.queue.as_str().into();
                let sent = self
                    .channel
                    .basic_publish("".into(), queue, options, &page.body, properties)
                    .await?;
                confirmations.push(sent);
            }
            for confirmation in confirmations {
                match confirmation.await? {
                    Confirmation::Ack(None) => {}
                    other => return Err(format!("a message was not taken: {other:?}").into()),
                }
            }
            Ok(())
        })
    }
}

struct Receiving {
    deliveries: Consumer,
    handle: Handle,
    /// Both end with the reader.
    _connection: Connection,
    _runtime: Runtime,
}

impl Reader for Receiving {
    fn read(&mut self, most: usize) -> Result<usize, Trouble> {
        self.handle.block_on(async {
            let mut found = 0;
            let mut last = None;
            for delivery in tasks::some(&mut self.deliveries, most).await? {
                last = Some(delivery?);
                found += 1;
            }
            // One word for all that came before it as well.
            if let Some(last) = last {
                last.ack(BasicAckOptions { multiple: true }).await?;
            }
            Ok(found)
        })
    }
}
