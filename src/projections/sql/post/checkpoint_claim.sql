-- Take over the tables as they were found, so that nobody else moves them: $1 store id, $2
-- sequence, $3 checksum (null: none), $4 which table. From now on they are at the record
-- with the checksum $5, and are posted by $6 (null: by a rebuild), for people $7.
-- No row: they are not as they were any more.
update :"schema".checkpoint
set epoch = epoch + 1, checksum = $5::bigint, holder = $6::text, held_by = $7::text,
    held_since = now() at time zone 'utc'
where store_id = $1::uuid and sequence = $2::bigint
    and checksum is not distinct from $3::bigint and tableoid::bigint = $4::bigint
returning epoch;
