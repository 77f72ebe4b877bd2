-- The statement that compares event_hour of the schema $1 with what the events come to, told
-- at most $3 differences: those of the schema $2, which are right, but of persons and
-- anonymous ids in quarantine in either those of $1. It gives kind, which one, the columns
-- that differ, how, and how many are missing, extra and changed in all.
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
    select event_type, datetime_created from %2$I.event e
    where not exists (select from aside where aside.id = e.id)
    union all
    select event_type, datetime_created from %1$I.event e
    where exists (select from aside where aside.id = e.id)
),
counted as (
    select event_type, date_trunc('hour', datetime_created) as hour, count(*) as events,
        min(datetime_created) as first, max(datetime_created) as last
    from right_ones
    group by 1, 2
),
differing as (
    select event_type, hour, c.events, c.first, c.last,
        k.events as kept_events, k.first as kept_first, k.last as kept_last,
        case when k.events is null then 'missing' when c.events is null then 'extra'
            else 'changed' end as kind
    from counted c full join %1$I.event_hour k using (event_type, hour)
    where (c.events, c.first, c.last) is distinct from (k.events, k.first, k.last)
),
first as (
    select *, count(*) filter (where kind = 'missing') over () as missing,
        count(*) filter (where kind = 'extra') over () as extra,
        count(*) filter (where kind = 'changed') over () as changed
    from differing
    order by hour, event_type
    limit %3$s
)
select kind, event_type || ' ' || to_char(hour, 'YYYY-MM-DD"T"HH24'),
    concat_ws(', ',
        case when events <> kept_events then 'events' end,
        case when first <> kept_first then 'first' end,
        case when last <> kept_last then 'last' end),
    case when kind = 'missing' then format('is not there, the log says %%s', events)
        when kind = 'extra' then format('is %%s, the log says none', kept_events)
        else concat_ws('; ',
            case when events <> kept_events
                then format('is %%s, the log says %%s', kept_events, events) end,
            case when first <> kept_first
                then format('begins %%s, the log says %%s', kept_first, first) end,
            case when last <> kept_last
                then format('ends %%s, the log says %%s', kept_last, last) end) end,
    missing, extra, changed
from first
order by hour, event_type
$statement$,
    $1::text, $2::text, $3::bigint);
