-- How many persons match. To be planned for its parameters.
-- $1 id, $2 properties, $3 begin of email, first or last name as a pattern
-- (each null: any), $4 who are left out (null: nobody).
select count(*)::bigint
from person
where ($1::uuid is null or id = $1::uuid)
  and ($4::uuid[] is null or id <> all($4::uuid[]))
  and ($2::text is null or properties @> $2::text::jsonb)
  and ($3::text is null
       or lower(email) like lower($3::text collate "C")
       or lower(first_name) like lower($3::text)
       or lower(last_name) like lower($3::text));
