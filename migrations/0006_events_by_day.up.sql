-- The same by day, which is a tenth of the rows or less: what counts by days, weeks, months or
-- all times, of UTC, need not add up hours.
create table event_day (
    day date not null,
    event_type text collate "C" not null,
    events bigint not null check (events > 0), -- of nobody, too
    first timestamp not null, -- of those of the day
    last timestamp not null,
    primary key (day, event_type)
) with (fillfactor = 50); -- as event_hour

-- Nobody posts until it is filled, and then it is by what follows.
lock table event in share row exclusive mode;

insert into event_day (day, event_type, events, first, last)
select hour::date, event_type, sum(events), min(first), max(last)
from event_hour
group by 1, 2;

-- As in 0005, and the days. What came is grouped once: date_bin tells an hour in a tenth of the
-- time that date_trunc takes (it is right behind its origin, and no time is before this one),
-- and integers are added up without numeric. No join but by key.
create or replace function event_counts() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
    if tg_op = 'TRUNCATE' then
        truncate event_hour, event_day;
        return null;
    end if;
    if tg_op = 'INSERT' then
        with hours as (
            select date_bin('1 hour', datetime_created, '4714-11-24 BC') as hour, event_type,
                count(*)::integer as events, min(datetime_created) as first,
                max(datetime_created) as last
            from came
            group by 1, 2
        ),
        days as (
            select hour::date as day, event_type, sum(events) as events,
                min(first) as first, max(last) as last
            from hours
            group by 1, 2
        ),
        begun as (
            insert into event_day as d (day, event_type, events, first, last)
            select day, event_type, events, first, last
            from days
            on conflict (day, event_type) do update
            set events = d.events + excluded.events,
                first = least(d.first, excluded.first),
                last = greatest(d.last, excluded.last)
        )
        insert into event_hour as h (hour, event_type, events, first, last)
        select hour, event_type, events, first, last
        from hours
        on conflict (hour, event_type) do update
        set events = h.events + excluded.events,
            first = least(h.first, excluded.first),
            last = greatest(h.last, excluded.last);
    end if;
    if tg_op = 'DELETE' then
        with gone as (
            select date_trunc('hour', datetime_created) as hour, event_type,
                count(*) as events, min(datetime_created) as first,
                max(datetime_created) as last
            from went
            group by 1, 2
        ),
        emptied as (
            delete from event_hour h using gone g
            where h.event_type = g.event_type and h.hour = g.hour and h.events = g.events
        )
        update event_hour h
        set events = h.events - g.events,
            first = case when h.first < g.first then h.first else (
                select e.datetime_created from event e
                where e.event_type = g.event_type and e.datetime_created >= g.first
                    and e.datetime_created < g.hour + interval '1 hour'
                order by e.datetime_created limit 1) end,
            last = case when h.last > g.last then h.last else (
                select e.datetime_created from event e
                where e.event_type = g.event_type and e.datetime_created <= g.last
                    and e.datetime_created >= g.hour
                order by e.datetime_created desc limit 1) end
        from gone g
        where h.event_type = g.event_type and h.hour = g.hour and h.events <> g.events;
        -- Then its hours, which are right by now, tell the first and the last of a day.
        with gone as (
            select datetime_created::date as day, event_type, count(*) as events,
                min(datetime_created) as first, max(datetime_created) as last
            from went
            group by 1, 2
        ),
        emptied as (
            delete from event_day d using gone g
            where d.event_type = g.event_type and d.day = g.day and d.events = g.events
        )
        update event_day d
        set events = d.events - g.events,
            first = case when d.first < g.first then d.first else (
                select h.first from event_hour h
                where h.event_type = g.event_type
                    and h.hour >= date_trunc('hour', g.first) and h.hour < g.day + 1
                order by h.hour limit 1) end,
            last = case when d.last > g.last then d.last else (
                select h.last from event_hour h
                where h.event_type = g.event_type and h.hour <= g.last and h.hour >= g.day
                order by h.hour desc limit 1) end
        from gone g
        where d.event_type = g.event_type and d.day = g.day and d.events <> g.events;
    end if;
    return null;
end
$$;
