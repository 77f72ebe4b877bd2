-- One projector for a schema, by a lock that is the session's. $1 schema.
select pg_try_advisory_lock(hashtextextended('daybook projector ' || $1::text, 0));
