-- $1 schema.
select pg_try_advisory_lock(hashtextextended('daybook rebuild ' || $1::text, 0));
