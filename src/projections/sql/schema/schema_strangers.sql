-- What is in a schema and has no counterpart of its name and kind in one that the
-- migrations have made. Indexes go with their tables. $1 schema, $2 as it should be.
with found as (
    select n.nspname as schema,
        case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
            when 'S' then 'sequence' when 'f' then 'foreign table'
            when 'c' then 'type' else 'table' end as kind,
        c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    union all
    select n.nspname, 'function', p.proname
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    union all
    select n.nspname, 'type', t.typname
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typrelid = 0 and t.typcategory <> 'A'
)
select distinct format('%s %I', kind, name)
from found
where schema = $1::text
    and not exists (select from found as right_one
                    where right_one.schema = $2::text and right_one.kind = found.kind
                        and right_one.name = found.name)
order by 1;
