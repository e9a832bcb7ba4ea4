-- Deliveries that were settled, many in a row: one by one they would take as long as the messages.
DROP TABLE log;
CREATE TABLE log (
    slot INTEGER PRIMARY KEY,    -- the upper bits are the number of the connector, the lower 40 count
                                 -- deliveries, up to the last one of the row
    lines BLOB NOT NULL          -- the oldest first
);
UPDATE connectors SET logged = 0;
