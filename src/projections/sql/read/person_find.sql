-- Several persons by id, and the newest events of each. $1 their ids, $2 how many events
-- of each. The first column is the place of one among the ids; a person comes as a row
-- with role, an event as one without. Properties over $3 bytes are null, so that what is
-- answered is bounded without counting it up; how large they are is the last column but
-- one. The last is a person's external id, or the anonymous id of an event.
-- Between, not equal: then only the index of persons has the order, and a person's
-- thousands of events are not read and sorted to find the newest few.
select asked.place::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.role::text, person.email::text, person.first_name::text,
       person.last_name::text, person.properties::jsonb,
       person.created_sequence::bigint, person.external_id::text
from unnest($1::uuid[]) with ordinality asked (id, place)
join person on person.id = asked.id
union all
select asked.place::bigint, newest.sequence::bigint, newest.id::uuid,
       newest.datetime_created::timestamp, null::timestamp,
       null::text, newest.event_type::text, null::text,
       null::text, newest.properties::jsonb, newest.properties_bytes::bigint,
       newest.anonymous_id::text
from unnest($1::uuid[]) with ordinality asked (id, place)
cross join lateral (
    select sequence, id, datetime_created, event_type, bytes as properties_bytes,
           anonymous_id, case when bytes <= $3::bigint then properties end as properties
    from event
    cross join lateral (
        select coalesce(properties_bytes, octet_length(properties::text), 0) as bytes
    ) counted
    where person_id between asked.id and asked.id
    order by person_id desc, sequence desc
    limit $2::bigint
) newest;
