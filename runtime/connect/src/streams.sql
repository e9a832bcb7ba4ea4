-- Partitions of streams.
CREATE TABLE partitions (
    number INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,               -- the number of its connector
    partition INTEGER NOT NULL,            -- from 0
    next INTEGER NOT NULL DEFAULT 0,       -- offset of the next record
    records INTEGER NOT NULL DEFAULT 0,    -- that are kept
    bytes INTEGER NOT NULL DEFAULT 0,      -- of payload, of those
    UNIQUE (stream, partition)
);

-- Records of streams. The upper bits of place are the number of the partition, the lower 40 the offset.
CREATE TABLE records (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,          -- of packet, or `group`
    bytes INTEGER NOT NULL,      -- of payload
    at INTEGER NOT NULL,         -- milliseconds since 1970; never less than that of the record before
    attempt INTEGER NOT NULL,    -- 1, or more when it came back from a delay stream
    only_for TEXT,               -- the one group that is to read it; nothing for all
    checksum INTEGER NOT NULL,   -- xxh3 over kind, headers and body
    headers TEXT,                -- JSON
    cause TEXT,                  -- JSON: headers that tell why it was copied here
    body BLOB NOT NULL
);

-- How far groups have come.
CREATE TABLE groups (
    stream INTEGER NOT NULL,
    name TEXT NOT NULL,
    partition INTEGER NOT NULL,
    mark INTEGER NOT NULL,       -- everything before it is finished
    replayed INTEGER NOT NULL,   -- records before it were delivered in an earlier reading
    skipped INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    PRIMARY KEY (stream, name, partition)
) WITHOUT ROWID;

-- Records that failed in a group and are not finished.
CREATE TABLE failures (
    stream INTEGER NOT NULL,
    name TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position INTEGER NOT NULL,   -- the offset
    times INTEGER NOT NULL,
    until INTEGER NOT NULL,      -- it rests until then
    first INTEGER NOT NULL,
    PRIMARY KEY (stream, name, partition, position)
) WITHOUT ROWID;

-- Copies in delay streams that are to come back.
CREATE TABLE delays (
    copy INTEGER PRIMARY KEY,    -- the place of the copy
    stream INTEGER NOT NULL,     -- where it comes back to
    partition INTEGER NOT NULL,  -- and in which partition
    name TEXT NOT NULL,          -- the group it failed in
    origin INTEGER NOT NULL,     -- the place of the record
    attempt INTEGER NOT NULL,    -- which delivery the next one is
    due INTEGER NOT NULL,
    UNIQUE (name, origin)
);

-- Those who subscribe to publish-subscribe channels, each with a queue of its own.
CREATE TABLE subscribers (
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    queue INTEGER NOT NULL,
    PRIMARY KEY (channel, name)
) WITHOUT ROWID;

-- Publish-subscribe channels.
CREATE TABLE channels (
    number INTEGER PRIMARY KEY,  -- of the connector
    unobserved INTEGER NOT NULL  -- messages for which nobody was there
);

-- The last message of channels that keep it.
CREATE TABLE retained (
    channel INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    headers TEXT,
    body BLOB NOT NULL
);
