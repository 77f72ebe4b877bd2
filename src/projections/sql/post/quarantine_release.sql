-- $1 sequences.
delete from quarantine where sequence = any($1::bigint[]);
