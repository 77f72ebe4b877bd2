-- One person with its newest events, oldest first. $1 id, $2 how many events.
-- Between, not equal: then only the index of persons has the order, and a person's
-- thousands of events are not read and sorted to find the newest few.
select person.created_sequence::bigint,
       person.sequence::bigint,
       ('{"id":"' || person.id
           || '","datetime_created":"'
           || to_char(person.datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
           || '","datetime_modified":"'
           || to_char(person.datetime_modified, 'YYYY-MM-DD"T"HH24:MI:SS.US')
           || '","email":' || to_json(person.email)::text
           || ',"events":[' || coalesce(newest.list, '') || ']'
           || ',"first_name":' || to_json(person.first_name)::text
           || ',"last_name":' || to_json(person.last_name)::text
           || ',"role":' || to_json(person.role)::text || '}')::text
from person
left join lateral (
    select string_agg(one.json, ',' order by one.sequence) as list
    from (
        select sequence,
               '{"id":"' || id
                   || '","datetime_created":"'
                   || to_char(datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
                   || '","event_type":' || to_json(event_type)::text
                   || ',"person_id":"' || person_id || '"'
                   || coalesce(',"properties":' || properties::text, '') || '}' as json
        from event
        where event.person_id between person.id and person.id
        order by person_id desc, sequence desc
        limit $2::bigint
    ) one
) newest on true
where person.id = $1::uuid;
