-- Events of one type in falling sequence; written as event_list_person.sql, and for the same
-- reason.
-- $1 person, $2 types, $3 since, $4 until, $5 properties (each null: any),
-- $6 before this sequence, $7 how many.
select sequence::bigint, id::uuid, datetime_created::timestamp, event_type::text,
       person_id::uuid, properties::jsonb
from event
where (event_type, sequence) < (($2::text[])[1], $6::bigint)
  and event_type >= ($2::text[])[1]
  and ($1::uuid is null or person_id = $1::uuid)
  and ($3::timestamp is null or datetime_created >= $3::timestamp)
  and ($4::timestamp is null or datetime_created < $4::timestamp)
  and ($5::text is null or properties @> $5::text::jsonb)
order by event_type desc, sequence desc
limit $7::bigint;
