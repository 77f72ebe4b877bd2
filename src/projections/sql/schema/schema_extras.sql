-- Indexes and triggers that tables of a schema have and their counterparts in one that
-- the migrations have made do not. $1 schema, $2 as it should be.
with found as (
    select n.nspname as schema, 'index' as kind, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('i', 'I')
    union all
    select n.nspname, 'trigger', t.tgname
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal
)
select distinct format('%s %I', kind, name)
from found
where schema = $1::text
    and not exists (select from found as right_one
                    where right_one.schema = $2::text and right_one.kind = found.kind
                        and right_one.name = found.name)
order by 1;
