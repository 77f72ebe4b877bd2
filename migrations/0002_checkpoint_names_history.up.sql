-- A sequence does not say in which history it was reached: a log that was put back to an
-- earlier state, or that is a copy, has other records at the same numbers. So the checkpoint
-- also has the checksum of the record that it stands at, and names who posts.
alter table checkpoint
    -- Of the record `sequence`, as the log keeps it. Null at 0, and in tables that were
    -- posted before this migration, until they are first compared; -1 where they were past
    -- the end of the log then, which no record matches.
    add column checksum bigint,
    -- Counts who has taken the tables over: who is not the last one changes nothing.
    add column epoch bigint not null default 0,
    add column holder text collate "C", -- which log on which machine; null: given up, or nobody yet
    add column held_by text,            -- the same for people: host, directory, process
    add column held_since timestamp;
