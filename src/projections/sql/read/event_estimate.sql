-- How many events match, as the planner estimates it.
-- $1 person, $2 types, $3 since, $4 until, $5 properties, $6 anonymous id (each null: any),
-- $7 persons whose are left out (null: none).
explain (format json)
select
from event
where ($1::uuid is null or person_id = $1::uuid)
  and ($2::text[] is null or event_type = any($2::text[]))
  and ($3::timestamp is null or datetime_created >= $3::timestamp)
  and ($4::timestamp is null or datetime_created < $4::timestamp)
  and ($5::text is null or properties @> $5::text::jsonb)
  and ($6::text is null or anonymous_id = $6::text)
  and ($7::uuid[] is null or (person_id = any($7::uuid[])) is not true);
