//! The failpoints that the environment arms, in a command that is built for tests.

use std::process::{Command, abort, id};

use paperflow_core::failpoint::{Action, arm as arm_one};

use crate::cli::exit::Failure;

/// Names places and what happens there: `after_commit:kill@3,after_send:fail@1`.
const VARIABLE: &str = "PAPERFLOW_FAILPOINT";

/// Arms the failpoints that the environment names.
pub(crate) fn arm() -> Result<(), Failure> {
    let named = std::env::var(VARIABLE).unwrap_or_default();
    for text in named.split(',').filter(|text| !text.is_empty()) {
        let failpoint = text.parse();
        let failpoint = failpoint.map_err(|error: String| Failure::misuse(error, None))?;
        arm_one(failpoint, act);
    }
    Ok(())
}

fn act(action: Action) {
    match action {
        // Nothing is flushed and nobody is told, as with `kill -9`.
        Action::Kill => abort(),
        Action::Stop => stop(),
        Action::Fail => {}
    }
}

/// Stops this program as from outside. There is no safe call for that in the standard library.
fn stop() {
    let command = format!("kill -s STOP {}", id());
    let stopped = Command::new("sh").args(["-c", &command]).status();
    assert!(
        stopped.is_ok_and(|status| status.success()),
        "cannot stop itself"
    );
}
