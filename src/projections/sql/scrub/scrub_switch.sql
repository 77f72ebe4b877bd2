-- Go on in the next file of the write-ahead log.
select pg_switch_wal();
