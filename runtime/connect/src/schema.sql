-- One row.
CREATE TABLE store (
    clean INTEGER NOT NULL,      -- 1 when it was closed well
    synced INTEGER NOT NULL      -- grows with every flush
);
INSERT INTO store VALUES (1, 0);

-- Queues, streams, publish-subscribe channels.
CREATE TABLE connectors (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    declaration TEXT NOT NULL,             -- JSON, as it was asked for last
    mark INTEGER NOT NULL DEFAULT 0,       -- messages up to this one have been delivered
    generation INTEGER NOT NULL DEFAULT 0, -- of ids that have been sent
    logged INTEGER NOT NULL DEFAULT 0,     -- deliveries ever logged
    sent INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    retried INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    invalid INTEGER NOT NULL DEFAULT 0,
    discarded INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0
);

-- Messages of queues. The upper bits of seq are the number of the connector, the lower 40 count.
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,          -- of packet, or `group`
    bytes INTEGER NOT NULL,      -- of payload
    sent INTEGER NOT NULL,       -- milliseconds since 1970
    attempts INTEGER,            -- nothing: as the mark of the connector says, 1 or 0
    failed INTEGER,              -- when it failed first
    due INTEGER,                 -- it rests until then
    checksum INTEGER NOT NULL,   -- xxh3 over id, kind, headers and body
    headers TEXT,                -- JSON
    cause TEXT,                  -- JSON: headers that tell why it was set aside
    body BLOB NOT NULL
);
CREATE INDEX resting ON messages (seq, due) WHERE due IS NOT NULL;

-- Ids that have been sent, in pieces of 16 bytes. The upper bits of slot are the number of the connector.
CREATE TABLE sent (
    slot INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    at INTEGER NOT NULL,         -- milliseconds since 1970
    ids BLOB NOT NULL
);

-- Those of them that were sent long ago. The upper bits of place are the number of the connector, the
-- lower ones the generation.
CREATE TABLE seen (
    place INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (place, id)
) WITHOUT ROWID;

-- The run of a graph that has not finished well.
CREATE TABLE runs (graph TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;

-- Tables of processes.
CREATE TABLE entries (
    process TEXT NOT NULL,
    tbl TEXT NOT NULL,
    key TEXT NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (process, tbl, key)
) WITHOUT ROWID;

-- What processes have handled, and what followed from it.
CREATE TABLE inbox (
    process TEXT NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    outputs TEXT NOT NULL,
    PRIMARY KEY (process, id)
) WITHOUT ROWID;
CREATE INDEX inbox_since ON inbox (at);

-- What processes have sent of their own accord, and of which it is not known whether all was handled.
CREATE TABLE owed (
    turn INTEGER PRIMARY KEY,
    process TEXT NOT NULL,
    id BLOB NOT NULL,
    outputs TEXT NOT NULL
);
CREATE INDEX owed_by ON owed (process, id);

-- Deliveries that were settled; the lower 40 bits of the slot go round.
CREATE TABLE log (
    slot INTEGER PRIMARY KEY,
    turn INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    micros INTEGER NOT NULL,     -- from delivery to settlement
    age INTEGER NOT NULL,        -- milliseconds from sending to settlement
    consumer TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT
);

CREATE VIEW ready AS
    SELECT c.name AS queue, m.seq & 1099511627775 AS number, lower(hex(m.id)) AS id, m.kind,
        m.bytes, datetime(m.sent / 1000, 'unixepoch') AS sent, m.attempts,
        datetime(m.due / 1000, 'unixepoch') AS due, m.headers, m.body
    FROM messages m JOIN connectors c ON c.number = m.seq >> 40
    WHERE m.cause IS NULL;

CREATE VIEW dead AS
    SELECT c.name AS queue, m.seq & 1099511627775 AS number, lower(hex(m.id)) AS id, m.kind,
        m.bytes, datetime(m.sent / 1000, 'unixepoch') AS sent,
        m.cause ->> '$.failure-reason' AS reason, m.cause ->> '$.failure-error' AS error,
        m.cause, m.headers, m.body
    FROM messages m JOIN connectors c ON c.number = m.seq >> 40
    WHERE m.cause IS NOT NULL;
