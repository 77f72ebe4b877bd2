-- One person with its newest events. $1 id, $2 how many events, $3 what ends a timestamp.
select person.created_sequence::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.email::text, person.first_name::text, person.last_name::text,
       person.role::text, newest.events::text, person.external_id::text,
       person.properties::jsonb
from person
cross join newest_events(person.id, $2::bigint, $3::text) newest (events)
where person.id = $1::uuid;
