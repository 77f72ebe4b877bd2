-- Out of the hours, which are counted before.
insert into :"schema".event_day (day, event_type, events, first, last)
select hour::date, event_type, sum(events), min(first), max(last)
from event_hour
group by 1, 2;
