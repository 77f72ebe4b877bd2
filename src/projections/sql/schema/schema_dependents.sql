-- Views elsewhere that read tables of a schema. Their names stay bound to these very
-- tables when the schema is renamed, and go when it is dropped. $1 schema.
select distinct format('view %s', v.oid::regclass)
from pg_class t
join pg_namespace n on n.oid = t.relnamespace
join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
join pg_class v on v.oid = r.ev_class
where n.nspname = $1::text and v.relnamespace <> n.oid
union
select format('foreign key %s of %s', con.conname, con.conrelid::regclass)
from pg_constraint con
join pg_class t on t.oid = con.confrelid
join pg_namespace n on n.oid = t.relnamespace
where n.nspname = $1::text and con.contype = 'f' and con.connamespace <> n.oid
order by 1;
