-- The statement that compares event_hour of the schema $1 with what right_ones come to, with
-- which it begins ($3, compare_right_events.sql), and tells at most $2 differences. It gives
-- kind, which one, the columns that differ, how, and how many are missing, extra and changed
-- in all.
select format($statement$
%3$s,
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
    limit %2$s
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
    $1::text, $2::bigint, $3::text);
