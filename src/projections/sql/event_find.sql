-- Several events by id. $1 their ids; the first column is the place of one among them.
-- A join, so that each is one step down the primary key, whatever else is known of the
-- table.
select asked.place::bigint, event.sequence::bigint, event.id::uuid,
       event.datetime_created::timestamp, event.event_type::text, event.person_id::uuid,
       event.properties::jsonb
from unnest($1::uuid[]) with ordinality asked (id, place)
join event on event.id = asked.id;
