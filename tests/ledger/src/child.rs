//! A network in a process of its own, which may die.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::Pid;

/// A child that has not ended by then never will.
const LONGEST: Duration = Duration::from_secs(600);

/// What is to be run.
pub(crate) struct Order<'a> {
    pub(crate) office: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) graph: &'a Path,
    pub(crate) wiring: &'a Path,
    /// The folder of the store.
    pub(crate) data: &'a Path,
    /// The file for what it writes to standard error.
    pub(crate) complaints: &'a Path,
    pub(crate) failpoint: Option<&'a str>,
    pub(crate) more: &'a [&'a str],
    /// No file may have more blocks of 512 bytes.
    pub(crate) limit: Option<u64>,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(i32),
    Killed(Signal),
    Stopped,
}

pub(crate) struct Child {
    pid: Pid,
    /// What it writes, line by line. Who writes into a full pipe does not end, so all of it is read.
    lines: Receiver<String>,
    complaints: PathBuf,
}

impl Child {
    pub(crate) fn start(order: &Order<'_>) -> io::Result<Self> {
        let complaints = order.folder.join(order.complaints);
        let mut command = match order.limit {
            None => Command::new(order.office),
            Some(limit) => limited(order.office, limit),
        };
        command.arg("run").arg(order.graph);
        command.arg("--wiring").arg(order.wiring);
        command.arg("--data").arg(order.data).args(order.more);
        command.current_dir(order.folder);
        command.env_remove("PAPERFLOW_FAILPOINT");
        command.envs(order.failpoint.map(|point| ("PAPERFLOW_FAILPOINT", point)));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped());
        command.stderr(File::create(&complaints)?);
        let mut child: process::Child = command.spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok(Self {
            pid: Pid::from_raw(pid),
            lines: listen(stdout),
            complaints,
        })
    }

    /// Waits until it has written so many lines; fewer if it ends before.
    pub(crate) fn wait_for_lines(&self, lines: u64) {
        let lines = usize::try_from(lines).unwrap_or(usize::MAX);
        self.lines.iter().take(lines).for_each(drop);
    }

    /// Waits until it has said so often on standard error, which is a file: its lines are few. One that has
    /// ended says no more.
    pub(crate) fn wait_for_complaints(&self, times: u32, words: &str) -> io::Result<()> {
        let (begun, times) = (Instant::now(), usize::try_from(times).unwrap_or(usize::MAX));
        let never = |how: &str| {
            let said = self.last_words();
            io::Error::other(format!("it {how} and did not say `{words}`: {said}"))
        };
        loop {
            let has_ended = self.has_ended()?;
            if self.complaints()?.matches(words).count() >= times {
                return Ok(());
            }
            if has_ended {
                return Err(never("ended"));
            }
            if begun.elapsed() > LONGEST {
                return Err(never("went on"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has ended; whoever waits for it is told how, all the same.
    fn has_ended(&self) -> io::Result<bool> {
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        Ok(waitid(Id::Pid(self.pid), how)? != WaitStatus::StillAlive)
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill(self.pid, signal)?)
    }

    /// All lines that nobody has waited for, up to its end.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// Waits until it has ended or stopped.
    pub(crate) fn wait(&self) -> io::Result<End> {
        match self.wait_or_kill(Some(LONGEST))? {
            End::Killed(Signal::SIGKILL) => Err(io::Error::other("it did not end")),
            end => Ok(end),
        }
    }

    /// Waits until it has ended or stopped, and kills it if that takes so long.
    pub(crate) fn wait_or_kill(&self, after: Option<Duration>) -> io::Result<End> {
        let (told, ended) = channel::<()>();
        let (pid, after) = (self.pid, after.unwrap_or(LONGEST));
        let watch = thread::spawn(move || {
            let late = ended.recv_timeout(after) == Err(RecvTimeoutError::Timeout);
            if late {
                // It may have ended just now.
                let _ = kill(pid, Signal::SIGKILL);
            }
        });
        let end = wait_for_end(pid);
        drop(told);
        watch
            .join()
            .map_err(|_| io::Error::other("nobody watched"))?;
        end
    }

    /// What it has written to standard error.
    pub(crate) fn complaints(&self) -> io::Result<String> {
        let mut text = String::new();
        File::open(&self.complaints)?.read_to_string(&mut text)?;
        Ok(text)
    }

    /// The first and the last of that, in one line.
    pub(crate) fn last_words(&self) -> String {
        const SOME: usize = 4;
        let told = self.complaints().unwrap_or_default();
        let mut told: Vec<&str> = told.lines().filter(|line| !line.is_empty()).collect();
        if told.len() > 2 * SOME {
            told.splice(SOME..told.len() - SOME, ["..."]);
        }
        told.join(" / ")
    }
}

/// A command in whose files no more can be written, which it is told as an error.
fn limited(program: &Path, blocks: u64) -> Command {
    let mut command = Command::new("sh");
    let limits = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    command.args(["-c", &limits]).arg(program);
    command
}

fn listen(stdout: ChildStdout) -> Receiver<String> {
    let (tell, lines) = channel();
    thread::spawn(move || {
        let all = BufReader::new(stdout).lines().map_while(Result::ok);
        for line in all {
            // Perhaps nobody wants to know any more.
            let _ = tell.send(line);
        }
    });
    lines
}

fn wait_for_end(pid: Pid) -> io::Result<End> {
    loop {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED))? {
            WaitStatus::Exited(_, code) => return Ok(End::Exit(code)),
            WaitStatus::Signaled(_, signal, _) => return Ok(End::Killed(signal)),
            WaitStatus::Stopped(..) => return Ok(End::Stopped),
            _ => {}
        }
    }
}
