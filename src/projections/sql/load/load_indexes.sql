-- What stands in the way of a fast load of the tables $1, in the order in which it can
-- be dropped, and how to make it again: indexes in this order, what takes longest first,
-- and then constraints and triggers in the opposite one. Making an index leaves its table
-- free for others; attaching a constraint to its index, or a trigger, takes no time.
-- Columns: the command that drops it; that makes its index; that attaches it (NULL: none).
with loaded as (
    select c.oid, row_number() over (order by c.relname) as place
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = :'schema' and c.relname = any($1::text[])
),
found as (
    select con.contype = 'f' as before_all, -- foreign keys, and triggers
        con.contype <> 'f' and am.amname <> 'btree' as slow,
        case con.contype when 'f' then 0 else loaded.place end as place,
        con.conname as name,
        format('alter table %I.%I drop constraint %I', n.nspname, c.relname, con.conname)
            as drop_it,
        case when con.contype in ('p', 'u') then pg_get_indexdef(con.conindid) end
            as make_it,
        format('alter table %I.%I add constraint %I ', n.nspname, c.relname, con.conname)
            || case when con.contype in ('p', 'u') then
                case con.contype when 'p' then 'primary key' else 'unique' end
                    || format(' using index %I', i.relname)
                    || case when con.condeferrable then ' deferrable' else '' end
                    || case when con.condeferred then ' initially deferred' else '' end
            else pg_get_constraintdef(con.oid) end
            as attach_it
    from pg_constraint con
    join loaded on loaded.oid = con.conrelid
        or (con.contype = 'f' and loaded.oid = con.confrelid)
    join pg_class c on c.oid = con.conrelid
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_class i on i.oid = con.conindid and con.contype <> 'f'
    left join pg_am am on am.oid = i.relam
    where con.contype in ('f', 'p', 'u', 'x')
    union
    select false, am.amname <> 'btree', loaded.place, i.relname,
        format('drop index %I.%I', n.nspname, i.relname),
        pg_get_indexdef(i.oid),
        null
    from pg_index x
    join loaded on loaded.oid = x.indrelid
    join pg_class i on i.oid = x.indexrelid
    join pg_namespace n on n.oid = i.relnamespace
    join pg_am am on am.oid = i.relam
    where not exists (select from pg_constraint con where con.conindid = i.oid
                      and con.contype in ('p', 'u', 'x'))
    union
    select true, false, loaded.place, t.tgname,
        format('drop trigger %I on %I.%I', t.tgname, n.nspname, c.relname),
        null,
        pg_get_triggerdef(t.oid)
    from pg_trigger t
    join loaded on loaded.oid = t.tgrelid
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal
)
select drop_it, make_it, attach_it
from found
order by before_all desc, slow desc, place, name;
