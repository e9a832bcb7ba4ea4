use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use paperflow_core::{Closed, Either, Got, In, Out, Packet, Text, Timer, select};

use super::fuse::Fuse;

/// The way to a worker and back.
pub(super) struct Ports {
    pub(super) input: In<Packet>,
    pub(super) done: In<Packet>,
    pub(super) failed: In<Packet>,
    pub(super) out: Out<Packet>,
    pub(super) result: Out<Packet>,
    pub(super) rej: Out<Packet>,
}

/// Stands before a worker and decides when it gets the next packet.
///
/// Answers are taken before new work, also while a packet waits to be sent: the loop over the worker
/// so never stands still, whatever the capacities. Brackets go along and count as no attempt.
pub(super) struct Guard {
    ports: Ports,
    fuse: Fuse,
    limit: usize,
    timer: Timer,
    state: Option<Out<Text>>,
    /// Packets with the worker.
    flying: usize,
    /// Nothing will come any more.
    is_ended: bool,
}

/// What a worker made of a packet.
enum Answer {
    Done(Got<Packet>),
    Failed(Got<Packet>),
}

enum Event {
    Answer(Answer),
    PauseIsOver,
    Work(Got<Packet>),
    EndOfWork,
}

impl Guard {
    pub(super) const fn new(ports: Ports, limit: usize, timer: Timer) -> Self {
        Self {
            ports,
            fuse: Fuse::none(),
            limit,
            timer,
            state: None,
            flying: 0,
            is_ended: false,
        }
    }

    /// With a fuse, and a port that tells what it does.
    pub(super) fn with_fuse(self, fuse: Fuse, state: Out<Text>) -> Self {
        Self {
            fuse,
            state: Some(state),
            ..self
        }
    }

    /// Until the last answer has come.
    pub(super) async fn run(mut self) -> Result<(), Closed> {
        while let Some(event) = self.event().await {
            match event {
                Event::Answer(answer) => self.answered(answer).await?,
                Event::PauseIsOver => {
                    let state = self.fuse.wake();
                    self.tell(state).await;
                }
                Event::Work(packet) => self.offer(packet).await?,
                Event::EndOfWork => {
                    self.is_ended = true;
                    self.ports.out.close();
                }
            }
        }
        Ok(())
    }

    /// What comes next; `None` when nothing can come.
    async fn event(&self) -> Option<Event> {
        let news = async { self.answer().await.map(Event::Answer) };
        let rest = select(self.work(), self.pause());
        Some(match select(news, rest).await? {
            Either::Left(event) | Either::Right(Either::Left(event) | Either::Right(event)) => {
                event
            }
        })
    }

    async fn answer(&self) -> Option<Answer> {
        let answers = select(self.ports.failed.next(), self.ports.done.next());
        Some(match answers.await? {
            Either::Left(packet) => Answer::Failed(packet),
            Either::Right(packet) => Answer::Done(packet),
        })
    }

    /// The next packet for the worker. While it may have none nothing is taken: its link fills, and
    /// the source waits.
    async fn work(&self) -> Option<Event> {
        if self.is_ended {
            return None;
        }
        if self.flying < self.fuse.admits(self.limit) {
            let packet = self.ports.input.next().await;
            return Some(packet.map_or(Event::EndOfWork, Event::Work));
        }
        poll_fn(|_| self.end_of_work()).await
    }

    /// The end may be seen without taking anything. Without a worker there is nothing to wait for.
    fn end_of_work(&self) -> Poll<Option<Event>> {
        let Ports {
            input,
            done,
            failed,
            ..
        } = &self.ports;
        if input.is_ended() {
            return Poll::Ready(Some(Event::EndOfWork));
        }
        if done.is_ended() && failed.is_ended() {
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    /// The next attempt is made when all answers are there, so that it is clear whose answer comes.
    async fn pause(&self) -> Option<Event> {
        let moment = self.fuse.opens_until()?;
        if self.is_ended || self.flying > 0 {
            return None;
        }
        self.timer.until(moment).await;
        Some(Event::PauseIsOver)
    }

    async fn offer(&mut self, packet: Got<Packet>) -> Result<(), Closed> {
        self.flying += usize::from(!packet.is_bracket());
        let mut sending = pin!(self.ports.out.send(packet));
        loop {
            let sent = async { Some(sending.as_mut().await) };
            match select(self.answer(), sent).await {
                Some(Either::Left(answer)) => self.answered(answer).await?,
                Some(Either::Right(Ok(()))) | None => return Ok(()),
                // The worker has left: it gets no more, and what it has answered is on its way.
                Some(Either::Right(Err(Closed(_)))) => break,
            }
        }
        self.is_ended = true;
        Ok(())
    }

    async fn answered(&mut self, answer: Answer) -> Result<(), Closed> {
        let (packet, is_success) = match answer {
            Answer::Done(packet) => (packet, true),
            Answer::Failed(packet) => (packet, false),
        };
        let mut state = None;
        if !packet.is_bracket() {
            self.flying = self.flying.saturating_sub(1);
            state = self.fuse.ended(is_success, self.timer.now());
        }
        match is_success {
            true => self.ports.result.send(packet).await?,
            false => drop(self.ports.rej.send(packet).await),
        }
        if let Some(state) = state {
            self.tell(state).await;
        }
        Ok(())
    }

    /// Whoever does not want to know the state may leave.
    async fn tell(&self, state: &'static str) {
        if let Some(port) = &self.state {
            drop(port.send(state).await);
        }
    }
}
