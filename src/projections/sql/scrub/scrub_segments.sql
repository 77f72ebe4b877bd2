-- The names of the files of the write-ahead log, also of those that are ready to be used.
select coalesce(array_agg(name), '{}')::text from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$';
