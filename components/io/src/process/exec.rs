use paperflow_core::{Fault, In, Out, Param, Text, Timer, component};

use super::child::{Event, Running};

/// Runs a command as a child process: lines in, lines out.
///
/// COMMAND is a program and its arguments, split at blanks as a shell does it, with single and double
/// quotes and backslashes; no shell is started, so there are no variables, patterns or pipes. Each
/// packet of IN is a line of its standard input, which is closed when IN ends; each line it writes is
/// a packet of OUT. What it writes on standard error goes to ERR, and to our own standard error when
/// ERR is not connected. It is started once, even when no packet comes.
///
/// The process ends when the child has, and everything that holds its outputs open has closed them.
/// The child may write as much as it likes before it reads: neither side waits for the other. When it
/// stops reading, IN is closed. When the process ends early, because nobody takes its output or the
/// network stops, the child is killed. A command that cannot be started, or that ends with another
/// status than zero, is a fault that names it. Brackets cannot be told to a child and are a fault. What the
/// child has read and not answered is lost with it in a crash.
#[component("process/exec", work = thread, must_run, forgets)]
#[example(command = "tr a-z A-Z", input = ["to be"], out = ["TO BE"])]
pub(super) async fn exec(
    /// The program and its arguments.
    command: Param<String>,
    /// Lines for its standard input.
    #[optional]
    input: In<Text>,
    /// Lines of its standard output.
    #[optional]
    out: Out<Text>,
    /// Lines of its standard error.
    #[optional]
    err: Out<Text>,
    timer: Timer,
) -> Result<(), Fault> {
    let mut child = Running::start(&command, !input.is_ended(), err.is_connected())?;
    while let Some(event) = child.event(&input, &timer).await {
        match event {
            Event::Output(line) => out.send(line).await?,
            Event::Error(line) => err.send(line).await?,
            Event::Fault(fault) => return Err(fault),
        }
    }
    child.finish()
}
