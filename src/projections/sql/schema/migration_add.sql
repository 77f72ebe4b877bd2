-- $1 version, $2 name, $3 checksum.
insert into :"schema".schema_migration (version, name, checksum, applied_at)
values ($1::integer, $2::text, $3::text, now() at time zone 'utc')
returning to_char(applied_at, 'YYYY-MM-DD"T"HH24:MI:SS.US')::text;
