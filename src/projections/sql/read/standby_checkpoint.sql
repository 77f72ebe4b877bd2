-- How far the tables are on a standby, and of which log.
select sequence, store_id from checkpoint;
