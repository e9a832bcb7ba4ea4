//! A network while it runs: who is in it, who has ended, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, never, select};
use paperflow_core::connector::{Store, StoreFault};
use paperflow_core::turn::Outlet;

use crate::clock::NetClock;
use crate::connect::Stores;
use crate::link::{Link, Writer};
use crate::options::Watch;
use crate::part::Part;
use crate::patience::Patience;
use crate::process::{After, Process};
use crate::receiver::Station;
use crate::report::{FaultReport, Leak, Outcome, Verdict};
use crate::roster::{External, Roster};
use crate::scope::Scope;
use crate::shape::Shape;
use crate::sync::{Apart, Mutex};
use crate::unread::{Grace, Reading};
use crate::watch::{Notice, Told};

pub(crate) struct Net {
    pub(crate) processes: Vec<Process>,
    pub(crate) links: Vec<Arc<Link>>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) clock: NetClock,
    /// Where the embedding program's threads wait.
    pub(crate) externals: Vec<Arc<External>>,
    pub(crate) events: Sender<Event>,
    pub(crate) judging: Mutex<()>,
    pub(crate) shape: Shape,
    /// The processes that read from connectors.
    pub(crate) receivers: Vec<(usize, Arc<Station>)>,
    pub(crate) stores: Stores,
    /// Those that have a part in this run, with its number there.
    pub(crate) entered: Vec<(Arc<dyn Store>, u64)>,
    /// It is a part of a graph.
    pub(crate) part: Option<Part>,
    /// After how long without anything to do its input from other parts ends.
    pub(crate) idle: Option<Duration>,
    /// One more than the count of wake-ups with which it was found that nothing moves.
    pub(crate) still: AtomicU64,
    /// What is known of the embedding program's reading.
    pub(crate) reading: Reading,
    /// Processes that wait for room.
    pub(crate) blocked: Apart<AtomicUsize>,
    /// Processes that wait for the world.
    pub(crate) outside: AtomicUsize,
    /// How often everybody was looked at.
    pub(crate) judged: AtomicUsize,
    pub(crate) started: Instant,
    /// Sources stop; what is in the network still drains.
    pub(crate) is_stopping: Arc<AtomicBool>,
    pub(crate) remaining: AtomicUsize,
    pub(crate) leaks: Mutex<Vec<Leak>>,
    pub(crate) notes: Mutex<Vec<FaultReport>>,
    pub(crate) watch: Option<Watch>,
    pub(crate) told: Arc<Told>,
    /// How long a store is tried again.
    pub(crate) patience: Patience,
    /// How often the watch has looked.
    pub(crate) watched: AtomicUsize,
}

/// What the network tells whoever waits for it.
pub(crate) enum Event {
    /// It is over, in this way.
    Over(Verdict),
    /// Somebody has stopped its sources; it may drain for this long.
    Stop(Duration),
    /// Somebody has stopped it at once, while these were not done.
    Kill(Vec<String>),
}

impl Net {
    /// Runs a process once, and settles what follows. True: it has ended for good.
    pub(crate) fn run(&self, index: usize) -> bool {
        let process = &self.processes[index];
        let after = self.roster.run(index, || {
            let after = process.turn(self);
            if after == After::RoundOver {
                self.member_over(index);
            }
            if self.roster.is_called(index) {
                self.pass_on(process);
            }
            after
        });
        if after != After::Again {
            self.rest();
        }
        after == After::Ended
    }

    /// The turn of a process that was called is over: others may have its place.
    fn pass_on(&self, process: &Process) {
        let outputs = process.outputs().iter();
        for (link, writer) in outputs.filter_map(|to| Some((to.link()?, to.writer()))) {
            self.links[link].pass_on(writer);
        }
    }

    /// A process with its own thread is about to sleep.
    pub(crate) fn pay(&self, process: usize) {
        let inputs = self.processes[process].inputs().iter();
        let links = inputs.filter_map(|socket| Some(&self.links[socket.link()?]));
        for link in links.filter(|link| link.owes()) {
            self.busily(|| link.pay());
        }
    }

    /// Runs something that may wake processes, or end what they wait for, on a thread that is not busy
    /// itself. Nobody judges what is half done, and somebody judges what it comes to.
    pub(crate) fn busily(&self, work: impl FnOnce()) {
        self.roster.resume();
        work();
        self.rest();
    }

    /// How long the network has run at this moment, by its own clock.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        self.clock.elapsed(self.started, now)
    }

    /// Gives up a credit, and judges if nobody has one any more.
    pub(crate) fn rest(&self) {
        if self.roster.rest() {
            self.judge();
        }
    }

    /// Whether a process is to end because the network stops: sources at once, the rest by drain.
    pub(crate) fn is_cancelled(&self, process: &Process) -> bool {
        process.is_origin && self.is_stopping.load(Ordering::Acquire) || self.roster.is_stopped()
    }

    pub(crate) fn terminated(&self, process: &Process) {
        if process.is_over.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.remaining.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.over(Verdict::Finished);
        }
    }

    pub(crate) fn over(&self, verdict: Verdict) {
        self.tell(Event::Over(verdict));
    }

    /// A run is cut short: what nobody will handle is given back to its store, before anything is let go
    /// of. After a good end there is nothing to give back but what the embedding program still holds.
    fn give_back(&self) {
        let stations = self.receivers.iter();
        stations.for_each(|(_, station)| station.close());
    }

    /// Everything settled is made safe, and a run that has finished well is the last of its kind. What a
    /// store cannot do is the network's failure.
    fn keep_account(&self, verdict: Verdict) -> Verdict {
        let flushed = self.receivers.iter().map(|(_, station)| station.flush());
        let settled = flushed.collect::<Result<Vec<()>, _>>();
        // Who was told to stop has not read its sources to the end: the next run goes on with this one.
        let is_cut_short = self.is_stopping.load(Ordering::Acquire);
        let is_finished = verdict == Verdict::Finished && !is_cut_short;
        match settled.and_then(|_| self.conclude(is_finished)) {
            Err(fault) if is_finished => Verdict::Failed(FaultReport {
                address: self.stores.graph().to_owned(),
                message: fault.to_string(),
                ..FaultReport::default()
            }),
            Err(fault) => {
                tracing::warn!("{fault}");
                verdict
            }
            Ok(()) => verdict,
        }
    }

    fn conclude(&self, is_finished: bool) -> Result<(), StoreFault> {
        if let Some(part) = &self.part {
            return part.conclude(is_finished, self.deserted());
        }
        let mut stores = self.entered.iter().filter(|_| is_finished);
        stores.try_for_each(|(store, epoch)| store.finish(self.stores.graph(), *epoch))
    }

    /// Nothing will be settled any more. Others, such as a signal handler, may hold on to the network.
    fn close_stores(&self) {
        self.stores.all().for_each(|store| store.close());
    }

    fn tell(&self, event: Event) {
        // Nobody listens any more once the first verdict has been heard.
        drop(self.events.send(event));
    }

    /// Everybody stops as soon as they notice.
    fn halt(&self) {
        // A source that never waits for room notices only this.
        self.is_stopping.store(true, Ordering::Release);
        self.roster.stop();
        self.clock.stop();
        self.externals.iter().for_each(|external| external.ring());
        self.part.iter().for_each(Part::ring);
    }

    pub(crate) fn fail(&self, report: FaultReport) {
        self.over(Verdict::Failed(report));
    }

    pub(crate) fn note(&self, report: FaultReport) {
        self.notes.lock().push(report);
    }

    pub(crate) fn leak(&self, process: &Process, packets: i64, on_stack: bool) {
        let (address, origin) = (process.address.to_string(), process.origin());
        self.leaks.lock().push(Leak {
            address,
            packets,
            on_stack,
            origin,
        });
    }

    /// Tells every source to stop. One that waits outside for something that may never come is
    /// given up: its out-ports close without it.
    fn stop_sources(&self) {
        self.is_stopping.store(true, Ordering::Release);
        for process in self.processes.iter().filter(|process| process.is_origin) {
            if process.is_outside.load(Ordering::Acquire) {
                self.give_up(process);
            }
            self.roster.wake(process.index);
        }
        self.close_feeds();
    }

    fn give_up(&self, process: &Process) {
        for socket in process.outputs() {
            if let Some(link) = socket.link() {
                self.links[link].close_writer(socket.writer());
            }
        }
        process.special.signals.iter().for_each(Outlet::close);
        self.terminated(process);
    }

    /// The embedding program feeds nothing any more.
    fn close_feeds(&self) {
        for link in &self.links {
            for (writer, who) in link.writers.iter().enumerate() {
                if matches!(who, crate::roster::Who::External(_)) {
                    Writer {
                        link: Arc::clone(link),
                        index: writer,
                    }
                    .close();
                }
            }
        }
    }

    fn unfinished(&self) -> Vec<String> {
        self.unfinished_but(|_| false)
    }

    /// The processes that have not ended, without some.
    pub(crate) fn unfinished_but(&self, is_fine: impl Fn(&Process) -> bool) -> Vec<String> {
        let is_over = |process: &Process| process.is_over.load(Ordering::Acquire);
        let processes = self.processes.iter();
        let unfinished = processes.filter(|process| !is_over(process) && !is_fine(process));
        unfinished
            .map(|process| format!("{} ({})", process.address, process.state()))
            .collect()
    }
}

/// A network that runs. Dropping it stops it at once.
pub struct Running {
    pub(crate) net: Arc<Net>,
    pub(crate) events: Receiver<Event>,
    pub(crate) threads: Vec<Thread>,
    /// Numbers of threads that have ended.
    pub(crate) gone: Receiver<usize>,
}

/// A means to stop a network from elsewhere.
#[derive(Clone)]
pub struct Control {
    net: Arc<Net>,
}

impl Control {
    /// Stops the sources at once; the network drains. Whoever waits for it allows it this long.
    pub fn stop(&self, drain: Duration) {
        self.net.busily(|| self.net.stop_sources());
        self.net.tell(Event::Stop(drain));
    }

    /// Stops everything at once.
    pub fn kill(&self) {
        self.net.tell(Event::Kill(self.net.unfinished()));
        self.net.give_back();
        self.net.halt();
    }
}

impl Running {
    /// A means to stop it from elsewhere, such as a signal handler's thread.
    #[must_use]
    pub fn control(&self) -> Control {
        Control {
            net: Arc::clone(&self.net),
        }
    }

    /// What has been counted so far.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer {
            net: Arc::clone(&self.net),
        }
    }

    /// Calls this with each notice about something that goes on and ought not to, also with those
    /// that were given before. It is called by threads of the network, and should be quick.
    pub fn on_notice(&self, tell: impl Fn(&Notice) + Send + Sync + 'static) {
        self.net.told.listen(Arc::new(tell));
    }

    /// Waits until the network has ended, in whatever way.
    #[must_use]
    pub fn wait(mut self) -> Outcome {
        let verdict = self.verdict();
        if verdict == Verdict::Finished {
            self.let_be_read();
        }
        let verdict = self.net.keep_account(verdict);
        let is_whole = verdict == Verdict::Finished && !self.net.is_cut_short();
        if !is_whole {
            self.net.give_back();
        }
        self.shut_down();
        self.net.close_stores();
        self.net.outcome(verdict, is_whole)
    }

    fn verdict(&self) -> Verdict {
        let (mut deadline, mut grace) = (never(), Grace::default());
        loop {
            select! {
                recv(self.events) -> event => match event {
                    Ok(Event::Over(verdict)) => return verdict,
                    Ok(Event::Stop(drain)) => deadline = after(drain),
                    Ok(Event::Kill(unfinished)) => return Verdict::Abandoned(unfinished),
                    Err(_) => return Verdict::Abandoned(self.net.unfinished()),
                },
                recv(deadline) -> _ => return Verdict::Abandoned(self.net.unfinished()),
                recv(self.net.reading.news()) -> _ => grace.look(&self.net),
                recv(grace.alarm) -> _ => grace.end(&self.net),
            }
        }
    }

    /// All have ended: the embedding program reads what is left for it.
    fn let_be_read(&self) {
        let mut grace = Grace::default();
        while self.net.waits_for_reader() {
            grace.look(&self.net);
            select! {
                recv(self.events) -> event => match event {
                    Ok(Event::Kill(_)) | Err(_) => return,
                    Ok(_) => {}
                },
                recv(self.net.reading.news()) -> _ => {}
                recv(grace.alarm) -> _ => grace.end(&self.net),
            }
        }
    }

    /// Ends every thread. One that is blocked in foreign code is left behind: it ends with it.
    fn shut_down(&mut self) {
        self.net.halt();
        let grace = after(GRACE);
        let mut threads = std::mem::take(&mut self.threads);
        while threads.iter().any(|thread| !self.is_left_behind(thread)) {
            select! {
                recv(self.gone) -> gone => threads.retain(|thread| Ok(thread.number) != gone),
                recv(grace) -> _ => return,
            }
        }
    }

    fn is_left_behind(&self, thread: &Thread) -> bool {
        thread
            .process
            .is_some_and(|index| self.net.processes[index].is_outside.load(Ordering::Acquire))
    }
}

/// How long a run that has ended waits for code that does not return.
const GRACE: Duration = Duration::from_millis(500);

/// A thread of a network.
pub(crate) struct Thread {
    pub(crate) number: usize,
    /// The process whose own thread it is.
    pub(crate) process: Option<usize>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.net.give_back();
            self.shut_down();
            self.net.close_stores();
        }
    }
}

/// Looks at a running network without disturbing it.
#[derive(Clone)]
pub struct Observer {
    net: Arc<Net>,
}

impl Observer {
    /// Packets received by all processes so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.net.processes.iter().map(Process::received).sum()
    }

    /// How often everybody was looked at, because nobody was busy and somebody might be stuck.
    #[must_use]
    pub fn judgements(&self) -> usize {
        self.net.judged.load(Ordering::Relaxed)
    }

    /// How often the watch has looked whether somebody is held up. It sleeps while nobody is busy.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.net.watched.load(Ordering::Relaxed)
    }

    /// Every notice so far.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.net.told.all()
    }

    /// What keeps it from taking up work at this moment, in words; nothing when it is ready.
    #[must_use]
    pub fn unready(&self) -> Vec<String> {
        let mut unready = self.net.told.troubles();
        if self.net.is_stopping.load(Ordering::Acquire) {
            unready.push(String::from("it stops"));
        }
        unready.extend(self.net.part.as_ref().and_then(Part::is_deaf));
        unready
    }

    /// Address and state of every process.
    #[must_use]
    pub fn states(&self) -> Vec<(String, crate::report::State)> {
        self.net
            .processes
            .iter()
            .map(|process| (process.address.to_string(), process.state()))
            .collect()
    }
}
