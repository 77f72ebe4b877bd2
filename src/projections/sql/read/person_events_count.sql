-- How many events each of several persons has, counted along the index of persons, up to a
-- bound. $1 their ids, $2 the bound. The first column is the place of one among the ids.
select asked.place::bigint, counted.events::bigint
from unnest($1::uuid[]) with ordinality asked (id, place)
cross join lateral (
    select count(*) as events
    from (
        select 1
        from event
        where person_id between asked.id and asked.id
        order by person_id desc, sequence desc
        limit $2::bigint
    ) bounded
) counted;
