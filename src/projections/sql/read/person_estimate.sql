-- How many persons match, as the planner estimates it.
-- $1 id, $2 properties (each null: any).
explain (format json)
select
from person
where ($1::uuid is null or id = $1::uuid)
  and ($2::text is null or properties @> $2::text::jsonb);
