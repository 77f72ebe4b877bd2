-- The command that bounds the write-ahead log, which takes no parameters. $1 as a size.
select format('alter system set max_wal_size = %L', $1::text);
