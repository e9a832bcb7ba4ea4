//! What is known of connectors, here and by all.

use std::collections::BTreeSet;
use std::sync::Arc;

use paperflow_core::connector::{ConnectorKind, Declaration, StoreFault};
use serde::{Deserialize, Serialize};

use super::Inner;
use super::channel::Channel;
use super::names::{escaped, key};
use super::queue::Queue;
use super::stream::Stream;
use crate::fault::unsupported;

/// What is known of a connector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) declaration: Option<Declaration>,
    /// The groups that read a stream.
    #[serde(default)]
    pub(super) groups: BTreeSet<String>,
}

impl About {
    /// Where that is kept.
    pub(super) fn key(connector: &str) -> String {
        key(&["about", connector])
    }

    /// How many partitions a stream has.
    pub(super) fn partitions(&self) -> u32 {
        let declared = self.declaration.as_ref();
        declared.map_or(1, |declared| declared.partitions.max(1))
    }
}

impl Inner {
    /// What is known of a connector.
    pub(super) fn about(&self, connector: &str) -> Result<About, StoreFault> {
        Ok(self.docs.get::<About>(&About::key(connector))?.value)
    }

    /// Keeps the declaration of a connector, if it is no other kind and loses no partition.
    pub(super) fn declare(&self, declaration: &Declaration) -> Result<(), StoreFault> {
        let Declaration {
            name,
            kind,
            partitions,
            ..
        } = declaration;
        let before = self.docs.change(&About::key(name), |about: &mut About| {
            let before = about.declaration.clone();
            let fits = before.as_ref().is_none_or(|before| {
                before.kind == *kind
                    && (*kind != ConnectorKind::Stream || before.partitions <= *partitions)
            });
            if fits {
                about.declaration = Some(declaration.clone());
            }
            before.filter(|_| !fits)
        })?;
        match before {
            None => Ok(()),
            Some(before) if before.kind == *kind => Err(unsupported(format!(
                "the stream `{name}` has {} partitions, and cannot have {partitions}: \
                 records would lose their place",
                before.partitions
            ))),
            Some(before) => Err(unsupported(format!(
                "`{name}` is a {} in this store, and cannot be a {kind} as well",
                before.kind
            ))),
        }
    }

    /// A queue, as this process knows it.
    pub(super) fn queue_of(&self, declaration: &Declaration) -> Arc<Queue> {
        let mut queues = self.queues.lock();
        let name = declaration.name.clone();
        let queue = queues
            .entry(name)
            .or_insert_with(|| Arc::new(Queue::new(self, declaration.clone())));
        Arc::clone(queue)
    }

    pub(super) fn queue(&self, declaration: &Declaration) -> Result<Arc<Queue>, StoreFault> {
        self.declare(declaration)?;
        let queue = self.queue_of(declaration);
        queue.local.lock().declaration = declaration.clone();
        queue.make(self)?;
        Ok(queue)
    }

    pub(super) fn channel(&self, declaration: &Declaration) -> Result<Arc<Channel>, StoreFault> {
        self.declare(declaration)?;
        let mut channels = self.channels.lock();
        let name = declaration.name.clone();
        let channel = channels
            .entry(name)
            .or_insert_with(|| Arc::new(Channel::new(declaration.clone())));
        channel.declare(declaration.clone());
        Ok(Arc::clone(channel))
    }

    pub(super) fn stream(&self, declaration: &Declaration) -> Result<Arc<Stream>, StoreFault> {
        self.declare(declaration)?;
        let stream = {
            let mut streams = self.streams.lock();
            let name = declaration.name.clone();
            let stream = streams
                .entry(name)
                .or_insert_with(|| Arc::new(Stream::new(declaration.clone())));
            stream.declare(declaration.clone());
            Arc::clone(stream)
        };
        stream.make(self)?;
        Ok(stream)
    }

    /// The subject on which something is set aside: that of a stream, if there is one of that name, or of a
    /// queue, which is made if it is not there.
    pub(super) fn place_aside(&self, to: &str, partition: usize) -> Result<String, StoreFault> {
        let known = self.aside.lock().get(to).copied();
        let partitions = match known {
            Some(partitions) => partitions,
            None => {
                let about = self.about(to)?;
                let declared = about.declaration.as_ref();
                let is_stream = declared.is_some_and(|own| own.kind == ConnectorKind::Stream);
                if declared.is_none() {
                    let declaration = Declaration::new(to, ConnectorKind::Queue);
                    self.declare(&declaration)?;
                    Queue::new(self, declaration).make(self)?;
                }
                let partitions = is_stream.then(|| about.partitions());
                self.aside.lock().insert(to.to_owned(), partitions);
                partitions
            }
        };
        let names = &self.line.names;
        Ok(match partitions {
            Some(count) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                names.partition(to, partition % count)
            }
            None => names.subject(to),
        })
    }

    /// What an identity is written behind, so that the next run may send it again.
    pub(super) fn run_of(&self, connector: &str) -> String {
        let graph = self.users.lock().graph(connector);
        let graph = graph.unwrap_or_default();
        match self.runs.lock().get(&graph) {
            Some(number) => format!("{}.{number}/", escaped(&graph, "-_.")),
            None => String::new(),
        }
    }
}
