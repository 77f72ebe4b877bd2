-- No more than two files are kept ready: the least that PostgreSQL takes.
alter system set min_wal_size = '32MB';
