-- How many events several persons have behind a sequence, up to and with another one, counted
-- along the index of persons. $1 their ids, $2 and $3 the sequences of each, $4 how many are
-- counted at most. The first column is the place of one among the ids.
select asked.place::bigint, counted.events::bigint
from unnest($1::uuid[], $2::bigint[], $3::bigint[])
    with ordinality asked (id, behind, newest, place)
cross join lateral (
    select count(*) as events
    from (
        select 1
        from event
        where (person_id, sequence) > (asked.id, asked.behind)
          and (person_id, sequence) <= (asked.id, asked.newest)
        order by person_id desc, sequence desc
        limit $4::bigint
    ) bounded
) counted;
