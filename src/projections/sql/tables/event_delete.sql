-- $1 ids, $2 the sequence of each (NULL: not known, then all are looked through), $3 how many
-- there must be. Divides by zero where some are not there.
with gone as (
    delete from :"schema".event e
    using (
        select d.id, coalesce(d.sequence, (select known.sequence from :"schema".event known
                                           where known.id = d.id)) as sequence
        from unnest($1::uuid[], $2::bigint[]) as d (id, sequence)
    ) d
    where e.sequence = d.sequence and e.id = d.id
    returning 1)
select 1 / (count(*) = $3::bigint)::integer from gone;
