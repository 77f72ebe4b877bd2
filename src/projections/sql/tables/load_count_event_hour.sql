-- As the triggers of `event` would have counted.
insert into :"schema".event_hour (hour, event_type, events, first, last)
select date_trunc('hour', datetime_created), event_type, count(*), min(datetime_created),
    max(datetime_created)
from event
group by 1, 2;
