-- $1 schema.
select pg_advisory_unlock(hashtextextended('daybook rebuild ' || $1::text, 0));
