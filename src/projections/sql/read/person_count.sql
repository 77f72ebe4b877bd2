-- How many persons match. To be planned for its parameters.
-- $1 id, $2 properties (each null: any).
select count(*)::bigint
from person
where ($1::uuid is null or id = $1::uuid)
  and ($2::text is null or properties @> $2::text::jsonb);
