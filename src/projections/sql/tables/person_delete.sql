-- $1 ids, $2 how many of the first there must be (NULL: any). Divides by zero where some of these
-- are not there.
with gone as (
    delete from :"schema".person p
    using unnest($1::uuid[]) with ordinality as d (id, place)
    where p.id = d.id
    returning d.place)
select 1 / (count(*) filter (where place <= $2::bigint) = $2::bigint)::integer from gone;
