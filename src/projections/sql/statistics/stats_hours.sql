-- As stats.sql, of whole hours of UTC: all of it is in event_hour.
-- $1 unit, $2 types (null: any), $3 since, $4 until (infinite: none), $5 by type, too,
-- $6 how many rows.
select date_trunc($1::text, hour)::timestamp, sum(events)::bigint, 0::bigint,
       (case when $5::boolean then event_type else '' end)::text
from event_hour
where ($2::text[] is null or event_type = any($2::text[]))
  and hour >= $3::timestamp
  and hour < $4::timestamp
group by 1, 4
order by 1, 4
limit $6::bigint;
