-- How far the tables are on a standby, of which log, and whether it still is one.
select sequence, store_id, pg_is_in_recovery()::integer::bigint from checkpoint;
