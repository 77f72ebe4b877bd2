-- How many events there were in each hour, day, week or month of a time zone, and of how many
-- different persons.
-- $1 unit, $2 zone, $3 types (null: any), $4 since, $5 until (infinite: none), $6 by type, too,
-- $7 persons, too, $8 how many rows.
-- What lies in the range and in one bucket as a whole is taken from event_hour; of an hour
-- that is cut, and for persons, the events are read along the index by time, which has all
-- that is asked.
with hourly as materialized (
    select hour, case when $6::boolean then event_type else '' end as type,
           sum(events) as events
    from event_hour
    where ($3::text[] is null or event_type = any($3::text[]))
      and hour > $4::timestamp - interval '1 hour'
      and hour < $5::timestamp
    group by 1, 2
),
hours as materialized (
    select hour, date_trunc($1::text, hour at time zone 'UTC', $2::text) as bucket,
           hour >= $4::timestamp and hour + interval '1 hour' <= $5::timestamp
               and date_trunc($1::text, hour at time zone 'UTC', $2::text)
                   = date_trunc($1::text,
                                (hour + interval '1 hour' - interval '1 microsecond')
                                    at time zone 'UTC', $2::text)
               -- and no clock changes within it
               and (hour + interval '1 hour') at time zone 'UTC' at time zone $2::text
                   = hour at time zone 'UTC' at time zone $2::text + interval '1 hour'
               as whole
    from (select distinct hour from hourly) each
),
counted as (
    select bucket, type, events
    from hours
    join hourly using (hour)
    where whole
    union all
    select date_trunc($1::text, event.datetime_created at time zone 'UTC', $2::text),
           case when $6::boolean then event.event_type else '' end, count(*)
    from hours
    join event on event.datetime_created >= greatest(hour, $4::timestamp)
              and event.datetime_created < least(hour + interval '1 hour', $5::timestamp)
    where not whole
      and ($3::text[] is null or event.event_type = any($3::text[]))
    group by 1, 2
),
persons as (
    select distinct
           case when $2::text = 'UTC' -- the quick way
               then date_trunc($1::text, datetime_created) at time zone 'UTC'
               else date_trunc($1::text, datetime_created at time zone 'UTC', $2::text)
           end as bucket,
           case when $6::boolean then event_type else '' end as type, person_id
    from event
    where $7::boolean
      and person_id is not null
      and ($3::text[] is null or event_type = any($3::text[]))
      and datetime_created >= $4::timestamp
      and datetime_created < $5::timestamp
),
events_of as (
    select bucket, type, sum(events) as events from counted group by bucket, type
),
persons_of as (
    select bucket, type, count(*) as persons from persons group by bucket, type
)
-- Where midnight comes twice, for clocks go back then, a day begins with the first: 24 hours
-- behind that of the day before.
select greatest(case when $1::text <> 'hour'
                          and sooner at time zone $2::text >= bucket at time zone $2::text
                     then least(sooner, bucket) else bucket end
                    at time zone 'UTC', timestamp '0001-01-01'),
       events::bigint, coalesce(persons, 0)::bigint, type::text
from events_of
left join persons_of using (bucket, type)
cross join lateral (
    select (bucket at time zone $2::text - interval '1 day') at time zone $2::text
               + interval '24 hours' as sooner
) twice
order by bucket, type
limit $8::bigint;
