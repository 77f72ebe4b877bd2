-- $1 ids, $2 the sequence of each (NULL: not known, then all are looked through), $3 how many of
-- the first there must be. Divides by zero where some of these are not there.
with gone as (
    delete from :"schema".event e
    using (
        select d.id, d.place,
               coalesce(d.sequence, (select known.sequence from :"schema".event known
                                     where known.id = d.id)) as sequence
        from unnest($1::uuid[], $2::bigint[]) with ordinality as d (id, sequence, place)
    ) d
    where e.sequence = d.sequence and e.id = d.id
    returning d.place)
select 1 / (count(*) filter (where place <= $3::bigint) = $3::bigint)::integer from gone;
