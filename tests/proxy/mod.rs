//! A line between a program and a broker, on which a test can do what networks do.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// All is well.
    None,
    /// Each piece takes so long.
    Slow(Duration),
    /// They are taken and closed at once.
    HangUp,
    /// Nobody takes them.
    Refuse,
    /// They are taken, and what comes is swallowed: no answer, no end. What began like this stays so when
    /// the fault is over, as behind a router that has forgotten it.
    Silence,
}

/// The line. It is gone when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
    /// Connections that were taken.
    taken: AtomicUsize,
}

struct State {
    /// Where it leads to, if that is known.
    broker: Option<String>,
    fault: Fault,
    listener: Option<TcpListener>,
    is_over: bool,
    /// Both ends of each connection.
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A line to `HOST:PORT`.
    pub(crate) fn to(broker: &str) -> Self {
        let proxy = Self::bound();
        proxy.lead_to(broker);
        proxy
    }

    /// A line that leads nowhere yet: a broker that says itself where it is must know this end first.
    pub(crate) fn bound() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has one");
        let line = Arc::new(Line {
            state: Mutex::new(State {
                broker: None,
                fault: Fault::None,
                listener: Some(listener),
                is_over: false,
                open: Vec::new(),
            }),
            changed: Condvar::new(),
            taken: AtomicUsize::new(0),
        });
        let own = Arc::clone(&line);
        thread::spawn(move || own.take_connections());
        Self { address, line }
    }

    /// From now on it leads to `HOST:PORT`.
    pub(crate) fn lead_to(&self, broker: &str) {
        self.line.lock().broker = Some(broker.to_owned());
    }

    /// Its end, as `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections have been taken so far.
    pub(crate) fn taken(&self) -> usize {
        self.line.taken.load(Ordering::SeqCst)
    }

    /// Closes every connection that there is.
    pub(crate) fn cut(&self) {
        self.line.lock().cut();
    }

    /// From now on this goes wrong; what is open is cut, or falls silent as well.
    pub(crate) fn set(&self, fault: Fault) {
        let mut state = self.line.lock();
        let was_refused = std::mem::replace(&mut state.fault, fault) == Fault::Refuse;
        match fault {
            Fault::HangUp => state.cut(),
            Fault::Refuse => {
                state.cut();
                state.listener = None;
            }
            Fault::None | Fault::Slow(_) | Fault::Silence => {}
        }
        if was_refused && fault != Fault::Refuse {
            state.listener = Some(TcpListener::bind(self.address).expect("its port is its own"));
        }
        drop(state);
        self.line.changed.notify_all();
        if fault == Fault::Refuse {
            self.wake();
        }
    }

    /// Whoever waits for a connection gets one, and looks what is the case now.
    fn wake(&self) {
        drop(TcpStream::connect(self.address));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.is_over = true;
        state.cut();
        drop(state);
        self.line.changed.notify_all();
        self.wake();
    }
}

impl State {
    fn cut(&mut self) {
        for end in self.open.drain(..) {
            // It may have been closed by its owner.
            drop(end.shutdown(Shutdown::Both));
        }
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_connections(self: Arc<Self>) {
        loop {
            let mut state = self.lock();
            while state.listener.is_none() && !state.is_over {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            let own = state.listener.as_ref().map(TcpListener::try_clone);
            if state.is_over {
                return;
            }
            drop(state);
            let Some(Ok(own)) = own else { continue };
            // Nobody but this test is on this machine's side: what cannot be taken is no connection.
            if let Ok((program, _)) = own.accept() {
                self.take(program);
            }
        }
    }

    fn take(self: &Arc<Self>, program: TcpStream) {
        let mut state = self.lock();
        if state.is_over || state.fault == Fault::Refuse {
            return;
        }
        self.taken.fetch_add(1, Ordering::SeqCst);
        if state.fault == Fault::HangUp {
            return;
        }
        let Some(Ok(broker)) = state.broker.as_ref().map(TcpStream::connect) else {
            return;
        };
        // A delay of the system's own would be another fault.
        drop(program.set_nodelay(true));
        drop(broker.set_nodelay(true));
        let pair = || io::Result::Ok((program.try_clone()?, broker.try_clone()?));
        let (Ok(there), Ok(back), Ok((one, other))) = (pair(), pair(), pair()) else {
            return;
        };
        state.open.extend([one, other]);
        drop(state);
        let own = Arc::clone(self);
        thread::spawn(move || own.carry(there.0, there.1));
        let own = Arc::clone(self);
        thread::spawn(move || own.carry(back.1, back.0));
    }

    /// Carries what comes to the other side, until one of them closes.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = vec![0; 64 * 1024];
        let mut is_silent = false;
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let fault = self.lock().fault;
            is_silent |= fault == Fault::Silence;
            if is_silent {
                continue;
            }
            if let Fault::Slow(time) = fault {
                thread::sleep(time);
            }
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        if is_silent {
            return;
        }
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    }
}
