-- Tables from before checksums that are past the end of the log, $1 being their sequence:
-- no record that comes to be there later is theirs.
update :"schema".checkpoint set checksum = -1 where sequence = $1::bigint and checksum is null;
