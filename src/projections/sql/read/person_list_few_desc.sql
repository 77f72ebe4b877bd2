-- Which persons a list has, in order of creation, the last first, where at most 10000 match;
-- written as event_list_few.sql, and for the same reason.
-- $1 id, $2 properties (each null: any), $3 before this sequence, $4 how many.
with few as materialized (
    select created_sequence as at, id
    from person
    where ($1::uuid is null or id = $1::uuid)
      and ($2::text is null or properties @> $2::text::jsonb)
    limit 10001
),
page as (
    select at, id
    from few
    where at < $3::bigint
      and (select count(*) from few) <= 10000
    order by at desc
    limit $4::bigint
)
select at::bigint, id::uuid
from page
union all
select 0::bigint, null::uuid
where (select count(*) from few) > 10000
order by 1 desc;
