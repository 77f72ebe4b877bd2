-- Persons in order of creation, each with its newest events.
-- $1 behind this sequence, $2 how many persons, $3 how many events of each.
select person.created_sequence::bigint,
       person.sequence::bigint,
       person_json(person, newest.events)
from person
cross join newest_events(person.id, $3::bigint) newest (events)
where person.created_sequence > $1::bigint
order by person.created_sequence
limit $2::bigint;
