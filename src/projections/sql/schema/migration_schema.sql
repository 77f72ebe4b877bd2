-- The command that makes the schema, unless it is there: asking first spares a role that
-- may not create schemas the refusal. $1 schema.
select format('create schema %I', $1::text)
where not exists (select from pg_namespace where nspname = $1::text);
