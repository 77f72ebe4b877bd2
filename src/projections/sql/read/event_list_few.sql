-- Events in sequence order where at most 10000 match: all are looked up by whatever index
-- finds them, then sorted. One row of zeros where more match. To be planned anew for its
-- parameters each time.
-- $1 person, $2 types, $3 since, $4 until, $5 properties, $6 anonymous id (each null: any),
-- $7 behind this sequence, $8 how many, $9 persons whose are left out (null: none).
with few as materialized (
    select sequence as at
    from event
    where ($1::uuid is null or person_id = $1::uuid)
      and ($2::text[] is null or event_type = any($2::text[]))
      and ($3::timestamp is null or datetime_created >= $3::timestamp)
      and ($4::timestamp is null or datetime_created < $4::timestamp)
      and ($5::text is null or properties @> $5::text::jsonb)
      and ($6::text is null or anonymous_id = $6::text)
      and ($9::uuid[] is null or (person_id = any($9::uuid[])) is not true)
    limit 10001
),
page as (
    select at
    from few
    where at > $7::bigint
      and (select count(*) from few) <= 10000
    order by at
    limit $8::bigint
)
select sequence::bigint, id::uuid, datetime_created::timestamp, event_type::text,
       person_id::uuid, properties::jsonb, anonymous_id::text, received::timestamp
from page
join event on event.sequence = page.at
union all
select 0::bigint, null::uuid, null::timestamp, null::text, null::uuid, null::jsonb,
       null::text, null::timestamp
where (select count(*) from few) > 10000
order by 1;
