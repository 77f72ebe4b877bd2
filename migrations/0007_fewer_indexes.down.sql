-- As 0003 has it: PostgreSQL writes the table anew.
alter table :"schema".event drop column properties_bytes;
alter table :"schema".event
    add column properties_bytes integer not null
        generated always as (coalesce(octet_length(properties::text), 0)) stored;

alter table :"schema".event drop constraint event_sequence;
create unique index event_sequence on event (sequence);
alter table :"schema".event add primary key (id);

alter index :"schema".event_person reset (deduplicate_items);
alter index :"schema".event_type reset (deduplicate_items);
alter index :"schema".event_datetime_created reset (deduplicate_items);

-- The newest events of a person, oldest first, between them commas, and behind their times
-- zone; no more than come to 1 MiB, but always the newest one. Beside its properties, its
-- anonymous id, and of its type what is over 64 bytes, an event takes 256 bytes at most.
-- Between, not equal: then only the index of persons has the order, and a person's
-- thousands of events are not read and sorted to find the newest few.
create or replace function newest_events(of_person uuid, most bigint, zone text)
returns table (events text) language sql stable as $$
    select coalesce(string_agg(event_json(id, datetime_created, event_type, person_id,
                                          anonymous_id, properties, zone),
                               ',' order by sequence), '')
    from (
        select *, sum(own_bytes) over (
            order by person_id desc, sequence desc rows unbounded preceding) as bytes
        from (
            select *,
                256 + properties_bytes
                    + case when octet_length(event_type) <= 32 then 0
                        else greatest(octet_length(to_json(event_type)::text) - 66, 0) end
                    + coalesce(octet_length(to_json(anonymous_id)::text) + 16, 0)
                    as own_bytes
            from event
            where person_id between of_person and of_person
            order by person_id desc, sequence desc
            limit most
        ) newest
    ) shown
    where bytes <= 1048576 or bytes = own_bytes
$$;
