-- As compare_event_hour.sql, of event_day.
select format($statement$
%3$s,
counted as (
    select datetime_created::date as day, event_type, person_id, count(*) as events
    from right_ones
    where person_id is not null
    group by 1, 2, 3
),
differing as (
    select day, event_type, person_id, c.events, k.events as kept_events,
        case when k.events is null then 'missing' when c.events is null then 'extra'
            else 'changed' end as kind
    from counted c full join %1$I.event_day k using (day, event_type, person_id)
    where c.events is distinct from k.events
),
first as (
    select *, count(*) filter (where kind = 'missing') over () as missing,
        count(*) filter (where kind = 'extra') over () as extra,
        count(*) filter (where kind = 'changed') over () as changed
    from differing
    order by day, event_type, person_id
    limit %2$s
)
select kind, event_type || ' ' || to_char(day, 'YYYY-MM-DD') || ' ' || person_id,
    case kind when 'changed' then 'events' else '' end,
    case kind when 'missing' then format('is not there, the log says %%s', events)
        when 'extra' then format('is %%s, the log says none', kept_events)
        else format('is %%s, the log says %%s', kept_events, events) end,
    missing, extra, changed
from first
order by day, event_type, person_id
$statement$,
    $1::text, $2::bigint, $3::text);
