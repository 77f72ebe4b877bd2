-- Which persons a list has, in order of creation.
-- $1 id, $2 properties, $3 begin of email, first or last name as a pattern
-- (each null: any), $4 behind this sequence, $5 how many, $6 who are left out
-- (null: nobody).
select created_sequence::bigint, id::uuid
from person
where created_sequence > $4::bigint
  and ($1::uuid is null or id = $1::uuid)
  and ($6::uuid[] is null or id <> all($6::uuid[]))
  and ($2::text is null or properties @> $2::text::jsonb)
  and ($3::text is null
       or lower(email) like lower($3::text collate "C")
       or lower(first_name) like lower($3::text)
       or lower(last_name) like lower($3::text))
order by created_sequence
limit $5::bigint;
