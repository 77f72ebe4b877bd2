-- As holder_lock.sql, but wait for it, which nobody who only tries then gets before.
select pg_advisory_lock(hashtextextended('daybook projector ' || :'schema', 0));
