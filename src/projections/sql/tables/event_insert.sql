-- One array a column. Unnested in the list, not in from: that would store all of them
-- first.
insert into :"schema".event (id, sequence, person_id, anonymous_id, event_type, datetime_created,
                             received, properties, properties_bytes)
select unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::uuid[]), unnest($4::text[]),
       unnest($5::text[]), unnest($6::timestamp[]), unnest($7::timestamp[]), unnest($8::jsonb[]),
       unnest($9::integer[]);
