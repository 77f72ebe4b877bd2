-- Events in sequence order, walking along the sequence. Planned once for all parameters:
-- the order asked for is the one only this index gives.
-- $1 person, $2 types, $3 since, $4 until, $5 properties, $6 anonymous id (each null: any),
-- $7 behind this sequence, $8 how many, $9 persons whose are left out (null: none).
select sequence::bigint, id::uuid, datetime_created::timestamp, event_type::text,
       person_id::uuid, properties::jsonb, anonymous_id::text, received::timestamp
from event
where sequence > $7::bigint
  and ($1::uuid is null or person_id = $1::uuid)
  and ($2::text[] is null or event_type = any($2::text[]))
  and ($3::timestamp is null or datetime_created >= $3::timestamp)
  and ($4::timestamp is null or datetime_created < $4::timestamp)
  and ($5::text is null or properties @> $5::text::jsonb)
  and ($6::text is null or anonymous_id = $6::text)
  and ($9::uuid[] is null or (person_id = any($9::uuid[])) is not true)
order by sequence
limit $8::bigint;
