-- $1 schema, $2 mark. No row: there is no such schema.
select coalesce(obj_description(oid, 'pg_namespace') = $2::text, false)
from pg_namespace
where nspname = $1::text;
