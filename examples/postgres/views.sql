-- Views for a BI tool over Daybook's read tables:
--
--     psql -h PLACE -U daybook DATABASE -v ON_ERROR_STOP=1 -f views.sql
--
-- (`daybook status` tells the place as `postgres`). Where DB_SCHEMA is not daybook, replace
-- daybook. in it first.
--
-- WARNING: the read tables are disposable. They are posted from the log, a rebuild makes
-- them anew beside the old ones and swaps the schemas, and the old one is dropped. So:
--
--   * Write nothing into them, and keep nothing of yours in their schema.
--   * Make no view of them directly, also not in another schema: a view is tied to the very
--     table. `daybook rebuild` refuses to go on while there is one, and so may PostgreSQL the
--     migration of a new version.
--   * What is below survives both. The body of a function is text, whose tables are looked
--     up when it is run; and PostgreSQL puts it into the query, so that indexes are used as
--     if the tables stood there. Only where a new version renames a column does it fail,
--     with PostgreSQL's message, until this file is mended and run again: it may be run at
--     any time.
--
-- They show nobody who is restricted (GDPR, article 18): they read daybook.person_shown and
-- daybook.event_shown, not the tables, which have everybody. So do counts of days, which the
-- API's are above by what those persons did.
--
-- While a person is set aside (`daybook status`), or the tables are behind, so are these.

create schema if not exists bi;

create or replace function bi.read_persons()
returns table (id uuid, external_id text, email text, first_name text, last_name text,
               role text, created_at timestamptz, modified_at timestamptz, properties jsonb)
language sql stable as $$
    select id, external_id, email, first_name, last_name, role,
        datetime_created at time zone 'utc', datetime_modified at time zone 'utc', properties
    from daybook.person_shown
$$;

-- person_id is whose the event is now; null: of an anonymous id that nobody has claimed.
create or replace function bi.read_events()
returns table (id uuid, person_id uuid, anonymous_id text, event_type text,
               at timestamptz, properties jsonb)
language sql stable as $$
    select id, person_id, anonymous_id, event_type, datetime_created at time zone 'utc',
        properties
    from daybook.event_shown
$$;

-- Of each UTC day and type: events of persons, and how many different ones.
create or replace function bi.read_days()
returns table (day date, event_type text, events bigint, persons bigint)
language sql stable as $$
    select datetime_created::date, event_type, count(*), count(distinct person_id)
    from daybook.event_shown
    where person_id is not null
    group by 1, 2
$$;

create or replace view bi.persons as select * from bi.read_persons();
create or replace view bi.events as select * from bi.read_events();
create or replace view bi.days as select * from bi.read_days();

-- For a tool that logs in as somebody else, who needs both: a rebuild takes these rights
-- over to the new tables.
--
--     create role reports login password '...';
--     grant usage on schema bi, daybook to reports;
--     grant select on all tables in schema bi to reports;
--     grant select on daybook.person_shown, daybook.event_shown to reports;
