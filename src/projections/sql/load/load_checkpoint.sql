-- $1 store id, $2 sequence, $3 the checksum of that record (null at 0).
insert into :"schema".checkpoint (store_id, sequence, checksum)
values ($1::uuid, $2::bigint, $3::bigint);
