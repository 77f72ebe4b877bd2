-- How the statements that compare what is counted begin, of the live schema $1 and the built
-- one $2: right_ones are the events as they should be, those of the built schema, but of
-- persons and anonymous ids in quarantine in either those of the live one.
select format($statement$
with quarantined as (
    select person_id, anonymous_id from %1$I.quarantine
    union
    select person_id, anonymous_id from %2$I.quarantine
),
persons as (select person_id from quarantined where person_id is not null),
ids as (select anonymous_id from quarantined where anonymous_id is not null),
aside as (
    select id from %1$I.event
    where person_id in (select person_id from persons)
        or anonymous_id in (select anonymous_id from ids)
    union
    select id from %2$I.event
    where person_id in (select person_id from persons)
        or anonymous_id in (select anonymous_id from ids)
),
right_ones as (
    select event_type, datetime_created, person_id from %2$I.event e
    where not exists (select from aside where aside.id = e.id)
    union all
    select event_type, datetime_created, person_id from %1$I.event e
    where exists (select from aside where aside.id = e.id)
)
$statement$,
    $1::text, $2::text);
