//! Everything that must happen as one: scripts that the server runs.

use std::sync::LazyLock;

use ::redis::Script as Hashed;

/// A script, and how the server knows it.
pub(super) struct Script {
    text: &'static str,
    hashed: LazyLock<Hashed>,
}

impl Script {
    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    pub(super) fn hash(&self) -> &str {
        self.hashed.get_hash()
    }
}

macro_rules! scripts {
    ($($name:ident = $file:literal),* $(,)?) => {
        $(pub(super) static $name: Script = Script {
            text: concat!(include_str!("scripts/prelude.lua"), include_str!(concat!("scripts/", $file))),
            hashed: LazyLock::new(|| Hashed::new($name.text)),
        };)*

        /// All of them.
        pub(super) static SCRIPTS: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    CONNECT = "connect.lua",
    RUN = "run.lua",
    SEND = "queue_send.lua",
    ROOM = "queue_room.lua",
    RECEIVE = "queue_receive.lua",
    SETTLE = "queue_settle.lua",
    RECONCILE = "reconcile.lua",
    LEAVE = "leave.lua",
    ALIVE = "alive.lua",
}
