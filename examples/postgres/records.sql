-- Daybook's persons and events in a PostgreSQL of yours, from the records that `daybook relay`
-- (of a sealed log with --unseal) writes into a topic:
--
--     psql -d DATABASE -v ON_ERROR_STOP=1 -f records.sql
--
-- Whoever reads the topic gives each record to daybook_take, in the order of their sequences,
-- which have no gaps (../python/records.py does). What was taken already changes nothing, so
-- after a crash, records may come again; one that is missing is refused. The tables are as
-- Daybook's own read tables, and yours: add columns, indexes and triggers as you need them.

create table if not exists person (
    id uuid primary key,
    sequence bigint not null, -- of the record that last changed it
    created_sequence bigint not null,
    datetime_created timestamp not null, -- in UTC, as all times here
    datetime_modified timestamp not null,
    email text,
    first_name text,
    last_name text,
    role text not null,
    external_id text,
    properties jsonb
);

create table if not exists event (
    id uuid primary key,
    sequence bigint not null,
    person_id uuid, -- whose it is now; null: of an anonymous id that nobody has claimed
    anonymous_id text,
    event_type text not null,
    datetime_created timestamp not null,
    received timestamp not null,
    properties jsonb
);

create index if not exists event_person on event (person_id, sequence);
create index if not exists event_anonymous on event (anonymous_id)
    where anonymous_id is not null;

-- The last record that was taken.
create table if not exists taken (
    only_row boolean primary key default true check (only_row),
    sequence bigint not null
);
insert into taken (sequence) values (0) on conflict do nothing;

create or replace function daybook_take(record jsonb) returns void language plpgsql as $$
declare
    number constant bigint := record->>'sequence';
    subject constant uuid := record->>'subject_id';
    recorded constant timestamp := record->>'recorded_at';
    data constant jsonb := record->'data';
    said constant timestamp := coalesce(data->>'datetime_created', record->>'recorded_at');
    owner uuid;
begin
    update taken set sequence = number where sequence = number - 1; -- and others wait
    if not found then
        if (select sequence from taken) < number then
            raise 'record % comes before record %', number, (select sequence + 1 from taken);
        end if;
        return;
    end if;
    if (data->>'restricted')::boolean then -- only a token with the scope admin is shown it
        return;
    end if;
    if (data->>'erased')::boolean then -- whoever it was about is deleted later on
        return;
    end if;
    if data ? 'sealed' then
        raise 'record % is sealed: write the topic anew with daybook relay --unseal', number;
    end if;
    case record->>'type'
    when 'person.created' then
        insert into person values (
            subject, number, number, said, said, data->>'email', data->>'first_name',
            data->>'last_name', data->>'role', data->>'external_id', data->'properties');
    when 'person.updated' then -- what is null was removed, and what is not there is as it was
        update person p set
            sequence = number,
            datetime_modified = recorded,
            email = new.email,
            first_name = new.first_name,
            last_name = new.last_name,
            role = new.role,
            external_id = new.external_id,
            properties = nullif(new.properties, 'null')
        from jsonb_populate_record(
            (select old from person old where old.id = subject), data) new
        where p.id = subject;
    when 'person.deleted', 'person.erased' then
        delete from event where person_id = subject;
        delete from person where id = subject;
    when 'event.recorded' then
        insert into event values (
            subject, number, (data->>'person_id')::uuid, data->>'anonymous_id',
            data->>'event_type', said, recorded, data->'properties');
    when 'event.deleted' then
        delete from event where id = subject;
    when 'events.expired' then
        delete from event where sequence <= (data->>'through')::bigint;
    when 'person.aliased', 'person.unaliased' then
        if record->>'type' = 'person.aliased' then
            owner := subject;
        end if;
        update event set person_id = owner where anonymous_id = data->>'anonymous_id';
    when 'person.restricted', 'person.unrestricted' then
        null; -- who may be shown the person is not these tables' matter
    when 'log.resealed' then
        null; -- of no person: the records before it are another log's, sealed
    else
        raise 'record % is of the type %: a newer records.sql knows it', number,
            record->>'type';
    end case;
end
$$;
