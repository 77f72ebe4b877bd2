-- $1 anonymous ids, $2 whose their events are (NULL: nobody's), $3 up to which sequence they
-- are gone.
with m as (
    select *
    from unnest($1::text[], $2::uuid[], $3::bigint[]) as m (anonymous_id, owner, gone)
),
lost as (
    delete from :"schema".event e using m
    where e.anonymous_id = m.anonymous_id and e.sequence <= m.gone
)
update :"schema".event e set person_id = m.owner
from m
where e.anonymous_id = m.anonymous_id and e.sequence > m.gone
    and e.person_id is distinct from m.owner;
