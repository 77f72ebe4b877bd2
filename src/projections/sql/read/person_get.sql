-- One person with its newest events. $1 id, $2 how many events.
select person.created_sequence::bigint,
       person.sequence::bigint,
       person_json(person, newest.events)
from person
cross join newest_events(person.id, $2::bigint) newest (events)
where person.id = $1::uuid;
