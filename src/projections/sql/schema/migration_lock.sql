-- Waits for other runs of migrations in this schema. $1 schema.
select pg_advisory_lock(hashtextextended('daybook migration ' || $1::text, 0));
