-- Persons in order of creation, each with its newest events.
-- $1 id, $2 properties (each null: any), $3 behind this sequence, $4 how many persons,
-- $5 how many events of each, $6 what ends a timestamp.
select person.created_sequence::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.email::text, person.first_name::text, person.last_name::text,
       person.role::text, newest.events::text, person.external_id::text,
       person.properties::jsonb
from person
cross join newest_events(person.id, $5::bigint, $6::text) newest (events)
where person.created_sequence > $3::bigint
  and ($1::uuid is null or person.id = $1::uuid)
  and ($2::text is null or person.properties @> $2::text::jsonb)
order by person.created_sequence
limit $4::bigint;
