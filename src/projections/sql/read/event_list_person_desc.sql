-- Events of one person in falling sequence; written as event_list_person.sql, and for the
-- same reason.
-- $1 person, $2 types, $3 since, $4 until, $5 properties, $6 anonymous id (each null: any),
-- $7 before this sequence, $8 how many.
select sequence::bigint, id::uuid, datetime_created::timestamp, event_type::text,
       person_id::uuid, properties::jsonb, anonymous_id::text, received::timestamp
from event
where (person_id, sequence) < ($1::uuid, $7::bigint)
  and person_id >= $1::uuid
  and ($2::text[] is null or event_type = any($2::text[]))
  and ($3::timestamp is null or datetime_created >= $3::timestamp)
  and ($4::timestamp is null or datetime_created < $4::timestamp)
  and ($5::text is null or properties @> $5::text::jsonb)
  and ($6::text is null or anonymous_id = $6::text)
order by person_id desc, sequence desc
limit $8::bigint;
