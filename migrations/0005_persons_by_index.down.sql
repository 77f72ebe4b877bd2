-- As 0004 makes them.
drop index :"schema".event_datetime_created;
create index event_datetime_created on event (datetime_created, event_type);

alter table :"schema".event_hour drop constraint event_hour_pkey;
alter table :"schema".event_hour add primary key (event_type, hour);
create index event_hour_hour on event_hour (hour);

create table event_day (
    day date not null,
    event_type text collate "C" not null,
    person_id uuid not null,
    events bigint not null check (events > 0),
    primary key (day, event_type, person_id)
) with (fillfactor = 90, autovacuum_vacuum_insert_scale_factor = 0.02);

create or replace function event_counts() returns trigger language plpgsql
set search_path = pg_catalog
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
    perform set_config('search_path', quote_ident(tg_table_schema), true);
    if tg_op = 'TRUNCATE' then
        truncate event_hour, event_day;
        return null;
    end if;
    if tg_op = 'INSERT' then
        insert into event_hour as h (hour, event_type, events, first, last)
        select date_trunc('hour', datetime_created), event_type, count(*),
            min(datetime_created), max(datetime_created)
        from came
        group by 1, 2
        on conflict (event_type, hour) do update
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
    if tg_op <> 'INSERT' then
        with gone as (
            select datetime_created::date as day, event_type, person_id,
                count(*) as events
            from went
            where person_id is not null
            group by 1, 2, 3
        ),
        emptied as (
            delete from event_day d using gone g
            where d.day = g.day and d.event_type = g.event_type
                and d.person_id = g.person_id and d.events = g.events
        )
        update event_day d
        set events = d.events - g.events
        from gone g
        where d.day = g.day and d.event_type = g.event_type
            and d.person_id = g.person_id and d.events <> g.events;
    end if;
    if tg_op <> 'DELETE' then
        insert into event_day as d (day, event_type, person_id, events)
        select datetime_created::date, event_type, person_id, count(*)
        from came
        where person_id is not null
        group by 1, 2, 3
        on conflict (day, event_type, person_id) do update
        set events = d.events + excluded.events;
    end if;
    return null;
end
$$;

create trigger event_counts_moved after update on event
referencing old table as went new table as came
for each statement execute function event_counts();

insert into :"schema".event_day (day, event_type, person_id, events)
select datetime_created::date, event_type, person_id, count(*)
from event
where person_id is not null
group by 1, 2, 3;
