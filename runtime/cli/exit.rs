//! How the command ends: documented codes, and what is told about a failure.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use super::out;

/// What a calling program sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// All is well. Also when nobody reads the output any more.
    Fine = 0,
    /// The network reported failure, a file could not be written, `fmt --check` found work, or
    /// `provision` found drift.
    Failed = 1,
    /// The command line asks for something that cannot be done.
    Misused = 2,
    /// The graph has errors.
    Broken = 3,
    /// No process could move any more.
    Deadlock = 4,
    /// The network was stopped and did not drain in time.
    Undrained = 5,
    /// The command itself failed.
    Bug = 70,
}

/// The codes, as long help shows them.
pub(super) const TABLE: &str = "\
Exit codes:
  0   fine
  1   the network reported failure, a file could not be written, `fmt --check` found work, or
      `provision` found something that is not as the graph says
  2   wrong use
  3   the graph has errors
  4   deadlock
  5   stopped, and not drained in time
  70  a mistake in this program";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb could not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line asks for something that cannot be done.
    Misuse {
        /// What is wrong.
        message: String,
        /// The way out.
        help: Option<String>,
    },
    /// What was asked for is not there, or is not done.
    Refused {
        /// Why.
        message: String,
        /// The way out.
        help: Option<String>,
    },
    /// A file cannot be read.
    Unreadable(String),
    /// A file cannot be written.
    Unwritable(String),
    /// Nobody reads standard output any more.
    Pipe,
}

impl Failure {
    pub(super) fn misuse(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Misuse {
            message: message.into(),
            help,
        }
    }

    pub(super) fn unreadable(name: impl Display, error: &io::Error) -> Self {
        Self::Unreadable(format!("cannot read {name}: {error}"))
    }

    pub(super) fn unwritable(name: impl Display, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Unwritable(format!("cannot write {name}: {error}")),
        }
    }

    /// Tells the user, and says how to end.
    pub(super) fn tell(self) -> Exit {
        let (message, help, exit) = match self {
            Self::Misuse { message, help } => (message, help, Exit::Misused),
            Self::Refused { message, help } => (message, help, Exit::Failed),
            Self::Unreadable(message) => (message, None, Exit::Misused),
            Self::Unwritable(message) => (message, None, Exit::Failed),
            Self::Pipe => return Exit::Fine,
        };
        out::tell(&format!(
            "{} {message}\n",
            out::stderr_paint().error("error:")
        ));
        if let Some(help) = help {
            out::tell(&format!("{} {help}\n", out::stderr_paint().help("help:")));
        }
        exit
    }
}

/// What to say about a command line that cannot be read; help and version are no failure.
pub(super) fn of_usage(error: &clap::Error) -> Exit {
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (true, _) => Exit::Misused,
        (false, Err(error)) => Failure::unwritable(out::STDOUT, &error).tell(),
        (false, Ok(())) => Exit::Fine,
    }
}
