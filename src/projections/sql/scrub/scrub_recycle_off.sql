-- A file of the write-ahead log that is done with is removed, not used again as it is.
alter system set wal_recycle = off;
