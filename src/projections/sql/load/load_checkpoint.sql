-- $1 store id, $2 sequence.
insert into checkpoint (store_id, sequence) values ($1::uuid, $2::bigint);
