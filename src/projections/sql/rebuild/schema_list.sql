-- The schemas of ours beside the live ones: what each is (kept, shadow, replay), whether
-- somebody works on it, and its size. A table that is locked has no size to be asked for
-- without waiting: the size is null then.
-- $1 and $2 as in schema_leftovers.sql, $3 how the mark of kept tables begins, $4 the mark
-- of a replay.
with marked as (
    select oid, nspname, obj_description(oid, 'pg_namespace') as mark from pg_namespace
), ours as (
    select oid, nspname,
        case when starts_with(mark, $1::text) then 'shadow'
            when starts_with(mark, $3::text) then 'kept' else 'replay' end as kind,
        case when starts_with(mark, $1::text)
            then hashtextextended('daybook rebuild ' || substr(mark, length($1::text) + 1,
                length(mark) - length($1::text) - length($2::text)), 0) end as key
    from marked
    where starts_with(mark, $1::text) or starts_with(mark, $3::text) or mark = $4::text
)
select nspname, kind,
    exists (select from pg_locks l
            where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
                and l.database = (select oid from pg_database
                                  where datname = current_database())
                and l.classid::bigint = (key >> 32) & 4294967295
                and l.objid::bigint = key & 4294967295) as held,
    (select case when bool_or(locked) then null
                else coalesce(sum(pg_total_relation_size(oid)), 0)::bigint end
     from (select c.oid,
               exists (select from pg_locks l where l.relation = c.oid
                       and l.mode = 'AccessExclusiveLock') as locked
           from pg_class c
           where c.relnamespace = ours.oid and c.relkind in ('r', 'm')
           offset 0) t) as bytes
from ours
order by nspname;
