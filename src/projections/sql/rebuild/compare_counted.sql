-- The statement that compares what is counted, in a table of the schema $1, with what
-- right_ones come to, with which it begins ($3, compare_right_events.sql), and tells at most $2
-- differences. $4 table, $5 its column, which is the unit of time by which it counts, $6 how a
-- time is told. It gives kind, which one, the columns that differ, how, and how many are
-- missing, extra and changed in all.
select format($statement$
%3$s,
counted as (
    select event_type, date_trunc(%5$L, datetime_created) as at, count(*) as events,
        min(datetime_created) as first, max(datetime_created) as last
    from right_ones
    group by 1, 2
),
kept as (
    select event_type, %5$I::timestamp as at, events, first, last from %1$I.%4$I
),
differing as (
    select event_type, at, c.events, c.first, c.last,
        k.events as kept_events, k.first as kept_first, k.last as kept_last,
        case when k.events is null then 'missing' when c.events is null then 'extra'
            else 'changed' end as kind
    from counted c full join kept k using (event_type, at)
    where (c.events, c.first, c.last) is distinct from (k.events, k.first, k.last)
),
first as (
    select *, count(*) filter (where kind = 'missing') over () as missing,
        count(*) filter (where kind = 'extra') over () as extra,
        count(*) filter (where kind = 'changed') over () as changed
    from differing
    order by at, event_type
    limit %2$s
)
select kind, event_type || ' ' || to_char(at, %6$L),
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
order by at, event_type
$statement$,
    $1::text, $2::bigint, $3::text, $4::text, $5::text, $6::text);
