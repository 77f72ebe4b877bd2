-- Persons in order of creation, each with its newest events.
-- $1 behind this sequence, $2 how many persons, $3 how many events of each.
select person.created_sequence::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.email::text, person.first_name::text, person.last_name::text,
       person.role::text, newest.events::text
from person
cross join newest_events(person.id, $3::bigint) newest (events)
where person.created_sequence > $1::bigint
order by person.created_sequence
limit $2::bigint;
