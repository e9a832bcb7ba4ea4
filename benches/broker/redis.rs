//! A Redis Stream with a group, as a queue.

use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{Client, Commands, Connection, pipe};

use crate::bare::{Ends, Load, Pages, Reader, Trouble, Writer};
use crate::brokers;

const GROUP: &str = "bare";

pub(crate) fn open(url: &str, load: Load) -> Result<Ends, Trouble> {
    let client = Client::open(url)?;
    let key = brokers::own("bench");
    let mut connection = client.get_connection()?;
    let _: i64 = connection.del(&key)?;
    connection.xgroup_create_mkstream::<_, _, _, ()>(&key, GROUP, "0")?;
    let writer = Own {
        connection: client.get_connection()?,
        key: key.clone(),
        pages: load.pages("ce_"),
    };
    let reader = Own {
        connection,
        key,
        pages: load.pages(""),
    };
    Ok(Ends {
        writer: Box::new(writer),
        reader: Box::new(reader),
    })
}

/// One end.
struct Own {
    connection: Connection,
    key: String,
    pages: Pages,
}

impl Writer for Own {
    fn write(&mut self, messages: usize) -> Result<(), Trouble> {
        let mut all = pipe();
        for _ in 0..messages {
            let page = self.pages.turn();
            let attributes = page.attributes.iter();
            let attributes = attributes.map(|(name, value)| (name.as_str(), value.as_bytes()));
            let body = [("body", page.body.as_slice())];
            let fields: Vec<_> = attributes.chain(body).collect();
            all.xadd(&self.key, "*", &fields).ignore();
        }
        Ok(all.query(&mut self.connection)?)
    }
}

impl Reader for Own {
    fn read(&mut self, most: usize) -> Result<usize, Trouble> {
        let options = StreamReadOptions::default().group(GROUP, "reader");
        let options = options.count(most).block(10_000);
        let found: Option<StreamReadReply> =
            self.connection
                .xread_options(&[&self.key], &[">"], &options)?;
        let entries = found.into_iter().flat_map(|found| found.keys);
        let ids: Vec<String> = entries
            .flat_map(|key| key.ids)
            .map(|entry| entry.id)
            .collect();
        if ids.is_empty() {
            return Err("nothing comes".into());
        }
        let mut done = pipe();
        done.xack(&self.key, GROUP, &ids).ignore();
        done.xdel(&self.key, &ids).ignore();
        done.query::<()>(&mut self.connection)?;
        Ok(ids.len())
    }
}
