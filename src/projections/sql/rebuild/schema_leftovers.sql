-- Schemas that are marked as being built, or replaced, each with the schema that this was
-- for. $1 and $2 are what the mark has before and behind that name.
select nspname, substr(mark, length($1::text) + 1,
                       length(mark) - length($1::text) - length($2::text))
from (select nspname, obj_description(oid, 'pg_namespace') as mark from pg_namespace) n
where starts_with(mark, $1::text) and right(mark, length($2::text)) = $2::text
order by nspname;
