-- The command that drops a schema, if it is there and has our mark. $1 schema, $2 mark.
select format('drop schema %I cascade', nspname)
from pg_namespace
where nspname = $1::text and obj_description(oid, 'pg_namespace') = $2::text;
