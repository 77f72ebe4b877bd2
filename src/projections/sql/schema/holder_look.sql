-- Who posts to the tables, and whether the lock of holder_lock.sql is held. $1 schema.
select holder, coalesce(held_by, 'somebody'),
    coalesce(to_char(held_since, 'YYYY-MM-DD"T"HH24:MI:SS'), 'a moment ago'),
    exists (select from pg_locks l,
                hashtextextended('daybook projector ' || $1::text, 0) key
            where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
                and l.database = (select oid from pg_database
                                  where datname = current_database())
                and l.classid::bigint = (key >> 32) & 4294967295
                and l.objid::bigint = key & 4294967295),
    store_id
from checkpoint;
