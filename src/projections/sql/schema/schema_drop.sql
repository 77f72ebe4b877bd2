-- The command that drops a schema, if it is there. $1 schema.
select format('drop schema %I cascade', nspname)
from pg_namespace
where nspname = $1::text;
