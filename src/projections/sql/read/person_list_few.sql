-- Which persons a list has, in order of creation where at most 10000 match;
-- written as event_list_few.sql, and for the same reason.
-- $1 id, $2 properties, $3 begin of email, first or last name as a pattern
-- (each null: any), $4 behind this sequence, $5 how many, $6 who are left out
-- (null: nobody).
with few as materialized (
    select created_sequence as at, id
    from person
    where ($1::uuid is null or id = $1::uuid)
      and ($6::uuid[] is null or id <> all($6::uuid[]))
      and ($2::text is null or properties @> $2::text::jsonb)
      and ($3::text is null
           or lower(email) like lower($3::text collate "C")
           or lower(first_name) like lower($3::text)
           or lower(last_name) like lower($3::text))
    limit 10001
),
page as (
    select at, id
    from few
    where at > $4::bigint
      and (select count(*) from few) <= 10000
    order by at
    limit $5::bigint
)
select at::bigint, id::uuid
from page
union all
select 0::bigint, null::uuid
where (select count(*) from few) > 10000
order by 1;
