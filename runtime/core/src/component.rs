//! The one contract that every component comes down to.

use std::sync::Arc;
use std::task::{Context, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connector::Desk;
use crate::fault::Fault;
use crate::packet::Packet;
use crate::port::{In, Ins, Out, Outs, Param};
use crate::receive::Receive;
use crate::spec::Spec;
use crate::table::{Journal, Table};
use crate::time::{Clock, Timer};
use crate::turn::Turn;
use crate::value::{Parameter, Value};

/// A component: the recipe from which processes are made.
pub trait Component: Send + Sync {
    /// What it looks like from outside. Always the same answer.
    fn spec(&self) -> &Spec;

    /// Starts one activation of one process. Called once per activation, before any packet is taken.
    ///
    /// # Errors
    /// A parameter that cannot be read; the process then fails without having run.
    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault>;
}

/// A function that names a component stands for it: what the attribute makes of a component function.
///
/// A unit struct of that name would be shorter, and would forbid every variable of the same name.
impl<F: Send + Sync + Fn() -> &'static dyn Component> Component for F {
    fn spec(&self) -> &Spec {
        self().spec()
    }

    fn open(&self, params: &Params) -> Result<Box<dyn Activity>, Fault> {
        self().open(params)
    }
}

/// One activation of a process.
pub trait Activity: Send {
    /// Works as long as it can, taking from and giving to the turn.
    ///
    /// Called whenever something it waited for may have come; what it waits for is recorded by the
    /// turn's `take` and `give`. Never called again after `Done` or an error.
    ///
    /// # Errors
    /// What went wrong, with the packet that could not be handled, if there is one. After an error
    /// whose packet is given back the activity may be stepped again, when the policy says so.
    fn step(&mut self, turn: &mut Turn, cx: &mut Context<'_>) -> Result<Step, Fault>;

    /// Lets go of everything it holds, before it is forgotten. Packets it held count as dropped.
    fn end(&mut self, turn: &mut Turn) {
        let _ = turn;
    }

    /// Whether waiting with nothing in hand is a pause between calls (dormant) rather than a point in
    /// the middle of a looper's code (suspended).
    fn is_dormant_when_waiting(&self) -> bool {
        false
    }
}

/// What an activity says at the end of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do at once.
    More,
    /// Nothing to do until something comes or moves on.
    Wait,
    /// The activation has ended.
    Done,
}

/// Where a process's port elements lie in its turn.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// For each in-port of the spec: index of its first element, and its element numbers.
    pub inputs: Vec<Elements>,
    /// The same for out-ports.
    pub outputs: Vec<Elements>,
}

/// The elements of one port.
#[derive(Clone, Debug, Default)]
pub struct Elements {
    /// Index of the first one in the turn.
    pub first: usize,
    /// The numbers `PORT[i]` as the graph has them; `[0]` for a plain port.
    pub numbers: Arc<[u32]>,
}

/// What an activation starts from: its parameters, its ports, its tables, its clock.
#[derive(Clone)]
pub struct Params {
    spec: Arc<Spec>,
    values: Vec<Option<Packet>>,
    layout: Arc<Layout>,
    clock: Arc<dyn Clock>,
    desk: Option<Deskside>,
}

/// What a store keeps for a process.
#[derive(Clone)]
pub struct Deskside {
    /// Where it is kept.
    pub desk: Arc<dyn Desk>,
    /// The tables that are kept there, whatever their case; the others are in memory.
    pub tables: Arc<[String]>,
    /// What has been written to them.
    pub journal: Journal,
    /// What it has sent is owed until it has arrived, whatever it follows from: after a crash that may come as
    /// another packet.
    pub owes_all: bool,
    /// Calls the process.
    pub waker: Waker,
}

impl Params {
    /// Made by the engine; `values` are in the order of `spec.params`.
    #[must_use]
    pub fn new(
        spec: Arc<Spec>,
        values: Vec<Option<Packet>>,
        layout: Arc<Layout>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            spec,
            values,
            layout,
            clock,
            desk: None,
        }
    }

    /// The process has tables that a store keeps.
    #[must_use]
    pub fn at_desk(mut self, desk: Option<Deskside>) -> Self {
        self.desk = desk;
        self
    }

    /// Reads a parameter: the initial packet, else the default of the spec.
    ///
    /// # Errors
    /// When it is missing or cannot be read.
    pub fn param<T: Parameter>(&self, name: &str) -> Result<Param<T>, Fault> {
        match self.optional::<T>(name)? {
            Some(value) => Ok(Param::new(value)),
            None => Err(Fault::new(format!("parameter {name} is missing"))),
        }
    }

    /// Reads a parameter that may be missing.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn optional<T: Parameter>(&self, name: &str) -> Result<Option<T>, Fault> {
        let Some(index) = self.spec.param_index(name) else {
            return unknown(&self.spec, name);
        };
        let default = || self.spec.params[index].default.as_deref().map(Packet::text);
        let given = self.values.get(index).and_then(Clone::clone);
        let Some(packet) = given.or_else(default) else {
            return Ok(None);
        };
        let value =
            T::read(&packet).map_err(|fault| Fault::new(format!("parameter {name}: {fault}")))?;
        Ok(Some(value))
    }

    /// An in-port.
    ///
    /// # Errors
    /// When the spec has no such port.
    pub fn input<T: Receive>(&self, name: &str) -> Result<In<T>, Fault> {
        let Some(index) = self.spec.input_index(name) else {
            return unknown(&self.spec, name);
        };
        Ok(In::new(self.layout.inputs[index].first))
    }

    /// An array in-port.
    ///
    /// # Errors
    /// When the spec has no such port.
    pub fn inputs<T: Receive>(&self, name: &str) -> Result<Ins<T>, Fault> {
        let Some(index) = self.spec.input_index(name) else {
            return unknown(&self.spec, name);
        };
        Ok(Ins::new(self.layout.inputs[index].clone()))
    }

    /// An out-port.
    ///
    /// # Errors
    /// When the spec has no such port.
    pub fn output<T: Value>(&self, name: &str) -> Result<Out<T>, Fault> {
        let Some(index) = self.spec.output_index(name) else {
            return unknown(&self.spec, name);
        };
        Ok(Out::new(self.layout.outputs[index].first))
    }

    /// An array out-port.
    ///
    /// # Errors
    /// When the spec has no such port.
    pub fn outputs<T: Value>(&self, name: &str) -> Result<Outs<T>, Fault> {
        let Some(index) = self.spec.output_index(name) else {
            return unknown(&self.spec, name);
        };
        Ok(Outs::new(self.layout.outputs[index].clone()))
    }

    /// A table, kept in memory or, if the wiring says so, by a store.
    ///
    /// # Errors
    /// When the spec has no such table, or the store cannot give it.
    pub fn table<K, V>(&self, name: &str) -> Result<Table<K, V>, Fault>
    where
        K: Ord + Serialize + DeserializeOwned + 'static,
        V: Serialize + DeserializeOwned + 'static,
    {
        if !self.spec.tables.iter().any(|table| table.name == name) {
            return unknown(&self.spec, name);
        }
        let is_kept = |side: &&Deskside| {
            let mut kept = side.tables.iter();
            kept.any(|kept| kept.eq_ignore_ascii_case(name))
        };
        match self.desk.as_ref().filter(is_kept) {
            Some(side) => Ok(Table::kept(&*side.desk, name, &side.journal)?),
            None => Ok(Table::default()),
        }
    }

    /// The network's clock.
    #[must_use]
    pub fn timer(&self) -> Timer {
        Timer::new(Arc::clone(&self.clock))
    }
}

fn unknown<T>(spec: &Spec, name: &str) -> Result<T, Fault> {
    Err(Fault::new(format!(
        "component {} has no port, parameter or table {name}",
        spec.name
    )))
}
