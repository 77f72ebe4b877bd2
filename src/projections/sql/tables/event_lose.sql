-- $1 anonymous ids, $2 whose events of them go (NULL: nobody's).
delete from :"schema".event e
using unnest($1::text[], $2::uuid[]) as m (anonymous_id, before)
where e.anonymous_id = m.anonymous_id and e.person_id is not distinct from m.before;
