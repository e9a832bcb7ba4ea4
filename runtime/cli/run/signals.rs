//! Ctrl-C: the first drains, the second ends.

use std::thread;
use std::time::Duration;

use paperflow_engine::Running;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::out;

/// Lets signals stop the network. Without them it runs all the same.
pub(crate) fn obey(running: &Running, drain: Duration) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
        return;
    };
    let control = running.control();
    let watch = move || {
        let mut is_draining = false;
        for _ in signals.forever() {
            if is_draining {
                control.kill();
            } else {
                out::tell(&format!(
                    "stopping: draining for at most {drain:?}; once more to stop at once\n"
                ));
                control.stop(drain);
            }
            is_draining = true;
        }
    };
    drop(
        thread::Builder::new()
            .name(String::from("signals"))
            .spawn(watch),
    );
}
