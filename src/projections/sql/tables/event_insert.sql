-- One array a column. Unnested in the list, not in from: that would store all of them
-- first.
insert into :"schema".event (id, sequence, person_id, event_type, datetime_created, properties)
select unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::uuid[]), unnest($4::text[]),
       unnest($5::timestamp[]), unnest($6::jsonb[]);
