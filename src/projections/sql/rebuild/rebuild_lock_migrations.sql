-- As migration_lock.sql, until the end of the transaction. $1 schema.
select pg_advisory_xact_lock(hashtextextended('daybook migration ' || $1::text, 0));
