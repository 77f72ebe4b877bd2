-- Events of several persons in sequence order, of each as event_list_person.sql has them; $1
-- their ids, $2 behind this sequence each, $3 how many of each. The last column but one is
-- the place of the person among the ids. Properties over $4 bytes are null, so that what is
-- answered is bounded; how large they are is the last column.
select page.sequence::bigint, page.id::uuid, page.datetime_created::timestamp,
       page.event_type::text, asked.id::uuid, page.properties::jsonb,
       page.anonymous_id::text, page.received::timestamp, asked.place::bigint,
       page.properties_bytes::bigint
from unnest($1::uuid[], $2::bigint[], $3::bigint[])
    with ordinality asked (id, behind, most, place)
cross join lateral (
    select sequence, id, datetime_created, event_type, anonymous_id, received,
           bytes as properties_bytes,
           case when bytes <= $4::bigint then properties end as properties
    from event
    cross join lateral (
        select coalesce(properties_bytes, octet_length(properties::text), 0) as bytes
    ) counted
    where (person_id, sequence) > (asked.id, asked.behind::bigint)
      and person_id <= asked.id
    order by person_id, sequence
    limit asked.most
) page;
