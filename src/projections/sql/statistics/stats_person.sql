-- As stats.sql, of the events of one person, by the index of persons.
-- $1 unit, $2 zone, $3 types (null: any), $4 since, $5 until (infinite: none), $6 by type, too,
-- $7 the person, $8 how many rows.
select greatest(case when $1::text <> 'hour'
                          and sooner at time zone $2::text >= bucket at time zone $2::text
                     then least(sooner, bucket) else bucket end
                    at time zone 'UTC', timestamp '0001-01-01'),
       events::bigint, 1::bigint, type::text
from (
    select date_trunc($1::text, datetime_created at time zone 'UTC', $2::text) as bucket,
           case when $6::boolean then event_type else '' end as type,
           count(*) as events
    from event
    where person_id = $7::uuid
      and ($3::text[] is null or event_type = any($3::text[]))
      and datetime_created >= $4::timestamp
      and datetime_created < $5::timestamp
    group by 1, 2
) counted
cross join lateral (
    select (bucket at time zone $2::text - interval '1 day') at time zone $2::text
               + interval '24 hours' as sooner
) twice
order by bucket, type
limit $8::bigint;
