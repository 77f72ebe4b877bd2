-- One array a column.
insert into :"schema".person (id, sequence, created_sequence, datetime_created, datetime_modified,
                    email, first_name, last_name, role, external_id, properties)
select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamp[],
                     $5::timestamp[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::text[], $11::jsonb[]);
