-- $1 up to which record events are expired, $2 how many rows go at once. How many have gone.
with due as (
    select sequence from :"schema".event
    where sequence <= $1::bigint
    order by sequence
    limit $2::bigint
),
gone as (
    delete from :"schema".event e using due
    where e.sequence = due.sequence
    returning 1)
select count(*) from gone;
