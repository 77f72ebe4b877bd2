-- The read tables. Whatever is in them was posted from the log and can be posted again.
-- No schema is named: search_path says where, so the same file builds a shadow schema.
-- Constraints are tripwires: what they would refuse was refused when it was appended.

create table person (
    id uuid primary key,
    sequence bigint not null,         -- of the record that last changed the person
    created_sequence bigint not null, -- of person.created: order and cursor of the list
    datetime_created timestamp not null,
    datetime_modified timestamp not null,
    email text collate "C" not null,
    first_name text not null,
    last_name text not null,
    role text collate "C" not null check (role in ('user', 'admin'))
);

create unique index person_created_sequence on person (created_sequence);

-- Collation "C" lowers ASCII only, as the log does; emails are ASCII.
create unique index person_email on person (lower(email));

-- No foreign key to person: a person in quarantine has no row while events of others are
-- loaded in bulk, and the log has decided already that the person exists.
create table event (
    id uuid primary key,
    sequence bigint not null,
    person_id uuid not null,
    event_type text collate "C" not null,
    datetime_created timestamp not null,
    properties jsonb,
    -- So that what is too large to be shown need not be read to know it.
    properties_bytes integer not null
        generated always as (coalesce(octet_length(properties::text), 0)) stored
);

-- Lists are in sequence order, so each filter's index ends with it.
create unique index event_sequence on event (sequence);
create index event_person on event (person_id, sequence);
create index event_type on event (event_type, sequence);
create index event_datetime_created on event (datetime_created);
create index event_properties on event using gin (properties jsonb_path_ops);

-- How far the log has been posted, and which log; changed in the transaction of the rows.
create table checkpoint (
    only_row boolean primary key default true check (only_row),
    store_id uuid not null,
    sequence bigint not null
);

-- Persons set aside because one of their records was refused here.
create table quarantine (
    sequence bigint primary key,  -- of the first record that failed
    person_id uuid unique,        -- null where the record could not even be read
    reason text not null,
    quarantined_at timestamp not null default (now() at time zone 'utc'),
    retry boolean not null default false
);

-- What the API shows. Inlined where they are called, so they cost what their bodies do.

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
