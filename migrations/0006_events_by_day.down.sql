-- As 0005 makes it.
lock table event in share row exclusive mode;

create or replace function event_counts() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
    perform set_config('search_path', quote_ident(tg_table_schema) || ', pg_temp', true);
    if tg_op = 'TRUNCATE' then
        truncate event_hour;
        return null;
    end if;
    if tg_op = 'INSERT' then
        insert into event_hour as h (hour, event_type, events, first, last)
        select date_trunc('hour', datetime_created), event_type, count(*),
            min(datetime_created), max(datetime_created)
        from came
        group by 1, 2
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
    end if;
    return null;
end
$$;

drop table :"schema".event_day;
