-- The first hundred persons and the newest events of each, as the rows that the product reads:
-- what PostgreSQL takes for them by itself, whoever asks.
with p as materialized (select * from daybook.person order by created_sequence limit 100)
select id, datetime_created, datetime_modified, email, first_name, last_name, role,
    properties, external_id, sequence, null::bigint from p
union all
select e.id, e.datetime_created, null, e.event_type, null, null, null, e.properties,
    e.anonymous_id, e.sequence, e.properties_bytes
from p cross join lateral (
    select * from daybook.event where person_id between p.id and p.id
    order by person_id desc, sequence desc limit 101) e;
