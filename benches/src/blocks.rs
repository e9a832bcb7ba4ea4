//! A shape as a system of protoflow: a thread for each block, room for one message in each
//! connection, one writer for each, messages as encoded numbers.

use std::rc::Rc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use protoflow_core::prelude::{MaybeLabeled, MaybeNamed};
use protoflow_core::{
    Block, BlockDescriptor, BlockHooks, BlockResult, BlockRuntime, InputPort, OutputPort, Process,
    System,
};

use crate::shape::{Flow, Node, Payload, Shape};
use crate::stopwatch::{self, Sample};
use crate::work::{rounds, spin};
use crate::{Contestant, Error};

/// A system that runs and waits to be told how many messages to send.
pub struct Blocks {
    go: Vec<Sender<u64>>,
    process: Rc<dyn Process>,
    flow: Flow,
}

/// Room in a connection; protoflow offers no other.
pub const CAPACITY: usize = 1;

/// A node as a block.
#[derive(Clone)]
struct Desk {
    node: Node,
    told: Receiver<u64>,
    input: InputPort<i64>,
    outputs: Vec<OutputPort<i64>>,
}

impl Blocks {
    /// Whether protoflow can run it: numbers only, and one writer for each reader.
    #[must_use]
    pub fn can(shape: &Shape) -> bool {
        let mut readers: Vec<_> = shape.links.iter().map(|(_, to)| *to).collect();
        readers.sort_unstable();
        let pairs = readers.windows(2);
        let is_shared = pairs.into_iter().any(|pair| pair[0] == pair[1]);
        shape.payload == Payload::Number && !is_shared
    }

    /// Starts it.
    ///
    /// # Errors
    /// The system cannot be started.
    pub fn start(shape: &Shape) -> Result<Self, Error> {
        let mut go = Vec::new();
        let system: System = System::build(|system| {
            let inputs: Vec<InputPort<i64>> = shape.nodes.iter().map(|_| system.input()).collect();
            for (at, behind) in shape.outgoing().iter().enumerate() {
                let (tell, told) = unbounded();
                if shape.nodes[at] == Node::Source {
                    go.push(tell);
                }
                let outputs = behind.iter().map(|to| {
                    let output = system.output();
                    system.connect(&output, &inputs[*to]);
                    output
                });
                let outputs = outputs.collect();
                system.block(Desk {
                    node: shape.nodes[at],
                    told,
                    input: inputs[at].clone(),
                    outputs,
                });
            }
        });
        let process = system.execute().map_err(|error| format!("{error:?}"))?;
        Ok(Self {
            go,
            process,
            flow: shape.flow(),
        })
    }
}

impl Contestant for Blocks {
    fn burst(&mut self, packets: u64) -> Result<Sample, Error> {
        stopwatch::arm(self.flow);
        for go in &self.go {
            go.send(packets)?;
        }
        stopwatch::wait()
    }

    fn end(mut self: Box<Self>) -> Result<(), Error> {
        self.go.clear();
        let ended = self.process.join();
        ended.map_err(|error| format!("{error:?}").into())
    }
}

impl MaybeNamed for Desk {}

impl MaybeLabeled for Desk {}

impl BlockDescriptor for Desk {}

impl BlockHooks for Desk {}

impl Block for Desk {
    fn execute(&mut self, _: &dyn BlockRuntime) -> BlockResult {
        match self.node {
            Node::Source => self.send()?,
            Node::Sink | Node::SlowSink => {
                while let Some(number) = self.input.recv()? {
                    stopwatch::arrived(number);
                }
            }
            Node::Copy => {
                while let Some(number) = self.input.recv()? {
                    for output in &self.outputs {
                        output.send(&number)?;
                    }
                }
            }
            Node::Pass(manner) => {
                let rounds = rounds(manner.work);
                while let Some(number) = self.input.recv()? {
                    spin(rounds);
                    self.outputs[0].send(&number)?;
                }
            }
            Node::Deal => {
                let mut next = 0;
                while let Some(number) = self.input.recv()? {
                    self.outputs[next].send(&number)?;
                    next = (next + 1) % self.outputs.len();
                }
            }
        }
        for output in &mut self.outputs {
            output.close()?;
        }
        Ok(())
    }
}

impl Desk {
    fn send(&self) -> BlockResult {
        for count in &self.told {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            stopwatch::start();
            for number in (0..count).rev() {
                self.outputs[0].send(&number)?;
            }
        }
        Ok(())
    }
}
