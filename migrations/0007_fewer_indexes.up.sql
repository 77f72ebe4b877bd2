-- Who inserts may say how long the properties are, in bytes of PostgreSQL's text of them, for
-- to find out is a tenth of what an event costs; null: nobody has said it, and whoever wants to
-- know counts. It is in the way of no row that comes by hand.
alter table :"schema".event
    alter column properties_bytes drop expression,
    alter column properties_bytes drop not null;

-- One index to keep instead of two. By id the log answers, and rows of the log that go, go by
-- their sequence; whoever asks the table by id makes an index for it (docs/disk-format.md).
alter table :"schema".event drop constraint event_pkey;
alter table :"schema".event add constraint event_sequence primary key using index event_sequence;

-- No two entries are the same in what they begin with, so each search for such, before a page
-- is split, is in vain.
alter index :"schema".event_person set (deduplicate_items = off);
alter index :"schema".event_type set (deduplicate_items = off);
alter index :"schema".event_datetime_created set (deduplicate_items = off);

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
                256 + coalesce(properties_bytes, octet_length(properties::text), 0)
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
