-- As stats.sql, of whole days of UTC: all of it is in event_day.
-- $1 unit (not hour), $2 types (null: any), $3 since, $4 until (infinite: none), $5 by type,
-- too, $6 how many rows.
select date_trunc($1::text, day::timestamp)::timestamp, sum(events)::bigint, 0::bigint,
       (case when $5::boolean then event_type else '' end)::text
from event_day
where ($2::text[] is null or event_type = any($2::text[]))
  and day >= $3::timestamp
  and day < $4::timestamp
group by 1, 4
order by 1, 4
limit $6::bigint;
