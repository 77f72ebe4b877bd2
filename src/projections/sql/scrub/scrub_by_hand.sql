-- As a superuser, connected to the database of DB_NAME (psql).
-- The statistics of the tables that are gone:
vacuum (full) pg_catalog.pg_statistic;
-- Files of the write-ahead log are removed for a while, and not used again as they are:
alter system set wal_recycle = off;
alter system set min_wal_size = '32MB';
select pg_reload_conf();
checkpoint;
checkpoint;
create temporary table before as select name from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$';
-- Again and again, until the count is 0:
select pg_switch_wal();
checkpoint;
select count(*) from pg_ls_waldir() join before using (name);
-- Put back (where alter system had set them before, to what that was):
alter system reset wal_recycle;
alter system reset min_wal_size;
select pg_reload_conf();
-- Pages that are free again stay in shared memory until others take their place: a restart of
-- PostgreSQL wipes it, if that is to be at once.
-- And what this server does not know: archived WAL, base backups and dumps are deleted or
-- left to expire. Standbys follow by themselves, but have files of their own to be cleaned.
-- Views, copies and tables that were made from daybook's are made again or dropped.
