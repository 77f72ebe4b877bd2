-- Of the persons whose first event of one type came in a day, week or month, how many had
-- one of another type in each of those behind.
-- $1 first, $2 then, $3 unit, $4 zone, $5 since, $6 until (infinite: none), $7 how many buckets
-- of each, $8 how many cohorts.
-- Columns: begin of the cohort, its persons, the bucket of the last event of $2 as one behind
-- it, a bucket behind it, and how many came back in that.
with cohort as materialized (
    select person_id,
           date_trunc($3::text, first at time zone 'UTC' at time zone $4::text)::date as bucket
    from (
        select person_id, min(datetime_created) as first
        from event
        where event_type = $1::text and person_id is not null
        group by person_id
    ) firsts
    where first >= $5::timestamp and first < $6::timestamp
),
came as (
    select distinct person_id,
           date_trunc($3::text, datetime_created at time zone 'UTC' at time zone $4::text)::date
               as at
    from event
    where event_type = $2::text and person_id is not null
),
came_back as (
    select bucket,
           case $3::text
               when 'day' then came.at - bucket
               when 'week' then (came.at - bucket) / 7
               else 12 * (extract(year from came.at) - extract(year from bucket))
                   + extract(month from came.at) - extract(month from bucket)
           end::bigint as behind,
           count(*) as persons
    from cohort
    join came using (person_id)
    where came.at >= bucket
    group by 1, 2
),
cohorts as (
    select bucket, count(*) as persons,
           (bucket::timestamp at time zone $4::text) as at,
           (bucket - 1)::timestamp at time zone $4::text + interval '24 hours' as sooner
    from cohort
    group by bucket
    order by bucket
    limit $8::bigint
)
-- Where midnight comes twice, for clocks go back then, a day begins with the first: 24 hours
-- behind that of the day before.
select greatest(case when sooner at time zone $4::text >= cohorts.bucket
                     then least(sooner, at) else at end
                    at time zone 'UTC', timestamp '0001-01-01'),
       cohorts.persons::bigint,
       (case $3::text
            when 'day' then last - cohorts.bucket
            when 'week' then (last - cohorts.bucket) / 7
            else 12 * (extract(year from last) - extract(year from cohorts.bucket))
                + extract(month from last) - extract(month from cohorts.bucket)
        end)::bigint,
       behind::bigint, came_back.persons::bigint
from cohorts
cross join (
    select date_trunc($3::text, max(last) at time zone 'UTC' at time zone $4::text)::date
        as last
    from event_day
    where event_type = $2::text
) ended
left join came_back
    on came_back.bucket = cohorts.bucket and behind < $7::bigint
order by cohorts.bucket, behind;
