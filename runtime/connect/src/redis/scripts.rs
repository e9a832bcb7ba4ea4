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
    QUEUES = "queues.lua",
    QUEUE_PAGE = "queue_page.lua",
    QUEUE_TAKE = "queue_take.lua",
    RECONCILE = "reconcile.lua",
    LEAVE = "leave.lua",
    ALIVE = "alive.lua",
    CHANNEL_SEND = "channel_send.lua",
    CHANNEL_ROOM = "channel_room.lua",
    CHANNEL_ENTER = "channel_enter.lua",
    CHANNEL_STOP = "channel_stop.lua",
    CHANNEL_FORGET = "channel_forget.lua",
    CHANNELS = "channels.lua",
    STREAM_SEND = "stream_send.lua",
    STREAM_ROOM = "stream_room.lua",
    STREAM_TURN = "stream_turn.lua",
    STREAM_ALIVE = "stream_alive.lua",
    STREAM_COPY = "stream_copy.lua",
    STREAM_TRIM = "stream_trim.lua",
    STREAM_ABSORB = "stream_absorb.lua",
    STREAM_STATUS = "stream_status.lua",
    STREAM_GROUPS = "stream_groups.lua",
    STREAM_PLACE = "stream_place.lua",
    STREAM_UNFINISHED = "stream_unfinished.lua",
    STREAM_PAGE = "stream_page.lua",
    STREAM_REPLAY = "stream_replay.lua",
}
