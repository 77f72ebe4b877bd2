-- One array a column.
insert into event (id, sequence, person_id, event_type, datetime_created, properties)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamp[],
                     $6::jsonb[]);
