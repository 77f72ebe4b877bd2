-- Persons in order of creation, the last first where at most 10000 match; written as event_list_few.sql, and
-- for the same reason.
-- $1 id, $2 properties (each null: any), $3 before this sequence, $4 how many persons,
-- $5 how many events of each, $6 what ends a timestamp.
with few as materialized (
    select created_sequence as at
    from person
    where ($1::uuid is null or id = $1::uuid)
      and ($2::text is null or properties @> $2::text::jsonb)
    limit 10001
),
page as (
    select at
    from few
    where at < $3::bigint
      and (select count(*) from few) <= 10000
    order by at desc
    limit $4::bigint
)
select person.created_sequence::bigint, person.sequence::bigint, person.id::uuid,
       person.datetime_created::timestamp, person.datetime_modified::timestamp,
       person.email::text, person.first_name::text, person.last_name::text,
       person.role::text, newest.events::text, person.external_id::text,
       person.properties::jsonb
from page
join person on person.created_sequence = page.at
cross join newest_events(person.id, $5::bigint, $6::text) newest (events)
union all
select 0::bigint, null::bigint, null::uuid, null::timestamp, null::timestamp, null::text,
       null::text, null::text, null::text, null::text, null::text, null::jsonb
where (select count(*) from few) > 10000
order by 1 desc;
