-- $1 sequences.
delete from :"schema".quarantine where sequence = any($1::bigint[]);
