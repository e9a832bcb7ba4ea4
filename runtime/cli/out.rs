//! Where words go: standard output for what was asked for, standard error for the rest.

use std::io::{self, IsTerminal, Write};
use std::panic;

use super::exit::{Exit, Failure};

/// How standard output is called in a message.
pub(super) const STDOUT: &str = "standard output";

/// Threads of this name are the engine's: it catches their panics and reports them as faults.
const ENGINE_THREADS: &str = "paperflow ";

/// Prints what was asked for.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| Failure::unwritable(STDOUT, &error))
}

/// Says something beside it. There is nobody to tell when that fails.
pub(super) fn tell(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// How to mark words on standard output.
pub(super) fn stdout_paint() -> Paint {
    Paint {
        is_on: io::stdout().is_terminal() && wants_colours(),
    }
}

/// How to mark words on standard error.
pub(super) fn stderr_paint() -> Paint {
    Paint {
        is_on: io::stderr().is_terminal() && wants_colours(),
    }
}

fn wants_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Colours on a terminal, plain words anywhere else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    fn with(self, style: &str, text: &str) -> String {
        if self.is_on {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            String::from(text)
        }
    }

    /// Bold red.
    pub(super) fn error(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Bold yellow.
    pub(super) fn warning(self, text: &str) -> String {
        self.with("1;33", text)
    }

    /// Bold cyan.
    pub(super) fn help(self, text: &str) -> String {
        self.with("1;36", text)
    }

    /// Bold.
    pub(super) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Blue, for line numbers and rules.
    pub(super) fn rule(self, text: &str) -> String {
        self.with("34", text)
    }
}

/// A panic outside the engine's threads is our own: says what to report, and ends with 70.
pub(super) fn report_own_panics() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        if thread
            .name()
            .is_some_and(|name| name.starts_with(ENGINE_THREADS))
        {
            return;
        }
        tell(&format!(
            "paperflow {} failed: this is a mistake in the program, not in the graph.\n{info}\n\
             Please report the two lines above, the command line and the graph.\n",
            env!("CARGO_PKG_VERSION")
        ));
        std::process::exit(Exit::Bug as i32);
    }));
}

/// How this command was called; a program with components of its own has a name of its own.
pub(super) fn own_name() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&called)
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| String::from("paperflow"))
}
