-- As compare_event_hour.sql, of event_day.
select format($statement$
with quarantined as (
    select person_id, anonymous_id from %1$I.quarantine
    union
    select person_id, anonymous_id from %2$I.quarantine
),
persons as (select person_id from quarantined where person_id is not null),
ids as (select anonymous_id from quarantined where anonymous_id is not null),
aside as (
    select id from %1$I.event
    where person_id in (select person_id from persons)
        or anonymous_id in (select anonymous_id from ids)
    union
    select id from %2$I.event
    where person_id in (select person_id from persons)
        or anonymous_id in (select anonymous_id from ids)
),
right_ones as (
    select event_type, datetime_created, person_id from %2$I.event e
    where not exists (select from aside where aside.id = e.id)
    union all
    select event_type, datetime_created, person_id from %1$I.event e
    where exists (select from aside where aside.id = e.id)
),
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
    limit %3$s
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
    $1::text, $2::text, $3::bigint);
