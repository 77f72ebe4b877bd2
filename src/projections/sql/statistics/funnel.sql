-- The events of some types, person by person, as they came: of each which type it is, counted
-- from 1. $1 types, each once, $2 since, $3 until (infinite: none).
select person_id::uuid, datetime_created::timestamp,
       array_position($1::text[], event_type)::bigint
from event
where event_type = any($1::text[])
  and person_id is not null
  and datetime_created >= $2::timestamp
  and datetime_created < $3::timestamp
order by person_id, event.datetime_created, sequence;
