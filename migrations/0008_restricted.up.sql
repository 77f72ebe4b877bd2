-- Who is restricted (GDPR, article 18), as the log says it now: what is held of them is kept and
-- is not for everybody's eyes. Whoever posts the tables fills it from the log, and it has those
-- who were deleted, too.
create table restricted (
    person_id uuid primary key,
    sequence bigint not null -- of the person.restricted
);

-- What others than an administrator may see: give them these, and not the tables.
create view person_shown with (security_barrier) as
    select id, sequence, created_sequence, datetime_created, datetime_modified, email,
        first_name, last_name, role, external_id, properties
    from :"schema".person p
    where not exists (select from :"schema".restricted r where r.person_id = p.id);

create view event_shown with (security_barrier) as
    select id, sequence, person_id, anonymous_id, event_type, datetime_created, received,
        properties
    from :"schema".event e
    where not exists (select from :"schema".restricted r where r.person_id = e.person_id);
