-- Which persons a list has, in order of creation.
-- $1 id, $2 properties (each null: any), $3 behind this sequence, $4 how many.
select created_sequence::bigint, id::uuid
from person
where created_sequence > $3::bigint
  and ($1::uuid is null or id = $1::uuid)
  and ($2::text is null or properties @> $2::text::jsonb)
order by created_sequence
limit $4::bigint;
