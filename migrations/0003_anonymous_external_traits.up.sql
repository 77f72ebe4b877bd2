-- Events of anonymous ids, persons with an external id, properties, and without an email or
-- names. What is in the tables is posted again from the log: it has for each row what the
-- new columns hold.
truncate :"schema".event, :"schema".person, :"schema".quarantine;
alter table checkpoint
    -- Where they were when a migration emptied them: nothing is read of them until they are
    -- there again.
    add column were_at bigint not null default 0;
update checkpoint set were_at = sequence, sequence = 0, checksum = null;

alter table person
    alter column email drop not null, -- null where there is none
    alter column first_name drop not null,
    alter column last_name drop not null,
    add column external_id text collate "C",
    add column properties jsonb,
    add column properties_bytes integer not null
        generated always as (coalesce(octet_length(properties::text), 0)) stored;

create unique index person_external_id on person (external_id);
create index person_properties on person using gin (properties jsonb_path_ops);

alter table event
    alter column person_id drop not null, -- null: of an anonymous id that is nobody's
    add column anonymous_id text collate "C",
    add column received timestamp not null; -- when it was appended

-- Events are counted along an index, which looks at a row only where it was not vacuumed
-- since; so each fiftieth part that is new is, not each fifth.
alter table event set (autovacuum_vacuum_insert_scale_factor = 0.02);

create index event_anonymous on event (anonymous_id, sequence)
    where anonymous_id is not null;

-- Set aside are persons, and anonymous ids: events of them, whoever's they are.
alter table quarantine
    add column anonymous_id text collate "C" unique;

drop function :"schema".person_json(:"schema".person, text);
drop function :"schema".newest_events(uuid, bigint);
drop function :"schema".event_json(uuid, timestamp, text, uuid, jsonb);

create function event_json(id uuid, datetime_created timestamp, event_type text,
                           person_id uuid, anonymous_id text, properties jsonb, zone text)
returns text language sql stable as $$
    select '{"id":"' || id
        || '","datetime_created":"' || to_char(datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || zone
        || '","event_type":' || to_json(event_type)::text
        || ',"person_id":' || coalesce('"' || person_id || '"', 'null')
        || coalesce(',"anonymous_id":' || to_json(anonymous_id)::text, '')
        || coalesce(',"properties":' || properties::text, '')
        || '}'
$$;

-- The newest events of a person, oldest first, between them commas, and behind their times
-- zone; no more than come to 1 MiB, but always the newest one. Beside its properties, its
-- anonymous id, and of its type what is over 64 bytes, an event takes 256 bytes at most.
-- Between, not equal: then only the index of persons has the order, and a person's
-- thousands of events are not read and sorted to find the newest few.
create function newest_events(of_person uuid, most bigint, zone text)
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

-- No statement uses it any more. It stays, for a rebuild of earlier tables takes a function
-- that no migration makes for somebody else's.
create function person_json(one person, events text)
returns text language sql stable as $$
    select '{"id":"' || one.id
        || '","datetime_created":"'
        || to_char(one.datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '","datetime_modified":"'
        || to_char(one.datetime_modified, 'YYYY-MM-DD"T"HH24:MI:SS.US')
        || '","email":' || coalesce(to_json(one.email)::text, 'null')
        || ',"events":[' || events || ']'
        || ',"first_name":' || coalesce(to_json(one.first_name)::text, 'null')
        || ',"last_name":' || coalesce(to_json(one.last_name)::text, 'null')
        || ',"role":' || to_json(one.role)::text
        || coalesce(',"external_id":' || to_json(one.external_id)::text, '')
        || coalesce(',"properties":' || one.properties::text, '')
        || '}'
$$;
