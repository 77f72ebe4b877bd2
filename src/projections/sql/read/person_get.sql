-- One person with its newest events, where these may be many or large; columns as of
-- person_find.sql. $1 id, $2 how many events. They are no more than come to 1 MiB, but always
-- the newest one. Beside its properties, its anonymous id, and of its type what is over 64
-- bytes, an event takes 256 bytes at most.
select 1::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.role::text, person.email::text, person.first_name::text,
       person.last_name::text, person.properties::jsonb,
       person.created_sequence::bigint, person.external_id::text
from person
where person.id = $1::uuid
union all
select 1::bigint, sequence::bigint, id::uuid, datetime_created::timestamp,
       null::timestamp, null::text, event_type::text, null::text, null::text,
       properties::jsonb, coalesce(properties_bytes, octet_length(properties::text), 0)::bigint,
       anonymous_id::text
from (
    select *, sum(own_bytes) over (
        order by person_id desc, sequence desc rows unbounded preceding) as bytes
    from (
        select *,
            256 + coalesce(properties_bytes, octet_length(properties::text), 0)
                + case when octet_length(event_type) <= 32 then 0
                    else greatest(octet_length(to_json(event_type)::text) - 66, 0) end
                + coalesce(octet_length(to_json(anonymous_id)::text) + 16, 0)
                as own_bytes
        from event
        where person_id between $1::uuid and $1::uuid -- between: see person_find.sql
        order by person_id desc, sequence desc
        limit $2::bigint
    ) newest
) shown
where bytes <= 1048576 or bytes = own_bytes;
