-- Ids that were sent long ago. The upper bits of place are the number of the connector, the lower ones the
-- generation; a run has ids that were sent after each other, sorted, many in a row.
ALTER TABLE seen RENAME TO seen_one_by_one;
CREATE TABLE seen_runs (
    place INTEGER NOT NULL,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,         -- milliseconds since 1970: when the last was sent
    ids INTEGER NOT NULL,        -- how many
    PRIMARY KEY (place, run)
) WITHOUT ROWID;
CREATE TABLE seen (
    place INTEGER NOT NULL,
    run INTEGER NOT NULL,
    first BLOB NOT NULL,
    ids BLOB NOT NULL,           -- in pieces of 16 bytes
    PRIMARY KEY (place, run, first)
) WITHOUT ROWID;
INSERT INTO seen_runs SELECT place, 0, max(at), count(*) FROM seen_one_by_one GROUP BY place;
INSERT INTO seen SELECT place, 0, id, id FROM seen_one_by_one ORDER BY place, id;
DROP TABLE seen_one_by_one;
