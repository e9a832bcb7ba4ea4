//! Ctrl-C: the first drains, the second ends.

use std::thread;
use std::time::Duration;

use paperflow_engine::Running;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::cli::out;

/// The signals from here on, which no longer end the program by themselves. Where the system refuses,
/// they do.
pub(crate) fn catch() -> Option<Signals> {
    Signals::new([SIGINT, SIGTERM]).ok()
}

/// Lets signals stop the network.
pub(crate) fn obey(signals: Option<Signals>, running: &Running, drain: Duration) {
    let Some(mut signals) = signals else { return };
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
