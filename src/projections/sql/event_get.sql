-- One event. $1 id.
select sequence::bigint,
       sequence::bigint,
       event_json(id, datetime_created, event_type, person_id, properties)
from event
where id = $1::uuid;
