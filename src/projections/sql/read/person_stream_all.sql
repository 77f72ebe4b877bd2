-- All persons in order of creation, and the newest events of each; columns as of
-- person_stream.sql. $1 behind this sequence, $2 how many persons, $3 how many events of
-- each, $4 the bytes of properties that come along.
select person.id::uuid, row.*
from (
    select *
    from person
    where created_sequence > $1::bigint
    order by created_sequence
    limit $2::bigint
) person
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
               case when bytes <= $4::bigint then properties end as properties
        from event
        cross join lateral (
            select coalesce(properties_bytes, octet_length(properties::text), 0) as bytes
        ) counted
        where person_id between person.id and person.id -- between: see person_find.sql
        order by person_id desc, sequence desc
        limit $3::bigint
    ) newest
) row
order by person.created_sequence;
