-- Persons by id in the order asked for, and the newest events of each: columns as of
-- person_find.sql, but the first, which is the person's id. The rows of one come together.
-- $1 their ids, $2 how many events of each, $3 the bytes of properties that come along. That
-- the places rise is known to who plans it, so nothing is sorted for it.
select asked.id::uuid, row.*
from unnest($1::uuid[]) with ordinality asked (id, place)
join person on person.id = asked.id
cross join lateral (
    select person.sequence::bigint, person.id::uuid,
           person.datetime_created::timestamp, person.datetime_modified::timestamp,
           person.role::text, person.email::text, person.first_name::text,
           person.last_name::text, person.properties::jsonb,
           person.created_sequence::bigint, person.external_id::text
    union all
    select newest.sequence::bigint, newest.id::uuid,
           newest.datetime_created::timestamp, null::timestamp,
           null::text, newest.event_type::text, null::text,
           null::text, newest.properties::jsonb, newest.properties_bytes::bigint,
           newest.anonymous_id::text
    from (
        select sequence, id, datetime_created, event_type, bytes as properties_bytes,
               anonymous_id,
               case when bytes <= $3::bigint then properties end as properties
        from event
        cross join lateral (
            select coalesce(properties_bytes, octet_length(properties::text), 0) as bytes
        ) counted
        where person_id between asked.id and asked.id -- between: see person_find.sql
        order by person_id desc, sequence desc
        limit $2::bigint
    ) newest
) row
order by asked.place;
