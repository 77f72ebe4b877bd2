-- With the lock of holder_lock.sql: whoever posted before moves nothing any more, also where
-- it has not noticed that its lock is gone. $1 holder, $2 for people.
update :"schema".checkpoint
set epoch = epoch + 1, holder = $1::text, held_by = $2::text,
    held_since = now() at time zone 'utc'
returning epoch;
