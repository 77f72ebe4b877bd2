-- One event. $1 id.
select sequence::bigint,
       sequence::bigint,
       ('{"id":"' || id
           || '","datetime_created":"'
           || to_char(datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
           || '","event_type":' || to_json(event_type)::text
           || ',"person_id":"' || person_id || '"'
           || coalesce(',"properties":' || properties::text, '') || '}')::text
from event
where id = $1::uuid;
