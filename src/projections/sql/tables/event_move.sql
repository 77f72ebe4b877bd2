-- Events of anonymous ids come to be another one's. $1 anonymous ids, $2 whose they were,
-- $3 whose they are now (NULL: nobody's).
update :"schema".event e set person_id = m.owner
from unnest($1::text[], $2::uuid[], $3::uuid[]) as m (anonymous_id, before, owner)
where e.anonymous_id = m.anonymous_id and e.person_id is not distinct from m.before;
