-- What was posted goes: the older program posts it again, as its tables can hold it.
truncate :"schema".event, :"schema".person, :"schema".quarantine;
update :"schema".checkpoint set sequence = 0, checksum = null;
alter table :"schema".checkpoint
    drop column were_at;

drop function :"schema".person_json(:"schema".person, text);
drop function :"schema".newest_events(uuid, bigint, text);
drop function :"schema".event_json(uuid, timestamp, text, uuid, text, jsonb, text);

alter table :"schema".quarantine
    drop column anonymous_id;

alter table :"schema".event reset (autovacuum_vacuum_insert_scale_factor);
alter table :"schema".event
    drop column received,
    drop column anonymous_id, -- and its index
    alter column person_id set not null;

alter table :"schema".person
    drop column properties_bytes,
    drop column properties,
    drop column external_id,
    alter column last_name set not null,
    alter column first_name set not null,
    alter column email set not null;

-- As 0001 makes them.
create function event_json(id uuid, datetime_created timestamp, event_type text,
                           person_id uuid, properties jsonb)
returns text language sql stable as $$
    select '{"id":"' || id
        || '","datetime_created":"' || to_char(datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '","event_type":' || to_json(event_type)::text
        || ',"person_id":"' || person_id || '"'
        || coalesce(',"properties":' || properties::text, '')
        || '}'
$$;

-- The newest events of a person, oldest first, between them commas; no more than come to
-- 1 MiB, but always the newest one. Beside its properties an event takes 256 bytes at most.
-- Between, not equal: then only the index of persons has the order, and a person's
-- thousands of events are not read and sorted to find the newest few.
create function newest_events(of_person uuid, most bigint)
returns table (events text) language sql stable as $$
    select coalesce(string_agg(event_json(id, datetime_created, event_type, person_id,
                                          properties),
                               ',' order by sequence), '')
    from (
        select *, sum(256 + properties_bytes) over (
            order by person_id desc, sequence desc rows unbounded preceding) as bytes
        from (
            select * from event
            where person_id between of_person and of_person
            order by person_id desc, sequence desc
            limit most
        ) newest
    ) shown
    where bytes <= 1048576 or bytes = 256 + properties_bytes
$$;

create function person_json(one person, events text)
returns text language sql stable as $$
    select '{"id":"' || one.id
        || '","datetime_created":"'
        || to_char(one.datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '","datetime_modified":"'
        || to_char(one.datetime_modified, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '","email":' || to_json(one.email)::text
        || ',"events":[' || events || ']'
        || ',"first_name":' || to_json(one.first_name)::text
        || ',"last_name":' || to_json(one.last_name)::text
        || ',"role":' || to_json(one.role)::text
        || '}'
$$;
