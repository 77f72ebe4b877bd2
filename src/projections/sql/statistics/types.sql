-- The types of events, the most frequent first. $1 how many.
select event_type::text, sum(events)::bigint, min(first)::timestamp, max(last)::timestamp
from event_day
group by event_type
order by 2 desc, 1
limit $1::bigint;
