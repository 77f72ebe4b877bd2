-- The commands that give the schema that comes, and its tables, the rights that others
-- have on the one whose place it takes; and those that tables which we make there later are
-- to give. $1 live schema, $2 the one that comes.
with granted as (
    select 'schema' as kind, format('%I', $2::text) as object, n.nspowner as owner,
        acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_namespace n, aclexplode(n.nspacl) acl
    where n.nspname = $1::text
    union all
    select case c.relkind when 'S' then 'sequence' else 'table' end,
        format('%I.%I', $2::text, c.relname), c.relowner,
        acl.grantee, acl.privilege_type, acl.is_grantable
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(c.relacl) acl
    where n.nspname = $1::text
        and c.relkind in ('r', 'p', 'v', 'm', 'S')
        and exists (select from pg_class d join pg_namespace m on m.oid = d.relnamespace
                    where m.nspname = $2::text and d.relname = c.relname)
)
select format('grant %s on %s %s to %s%s', privilege_type, kind, object,
    case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
    case when is_grantable then ' with grant option' else '' end)
from granted
where grantee <> owner
union all
select format('alter default privileges in schema %I grant %s on %s to %s%s', $2::text,
    acl.privilege_type,
    case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
        when 'f' then 'functions' else 'types' end,
    case acl.grantee when 0 then 'public'
        else quote_ident(pg_get_userbyid(acl.grantee)) end,
    case when acl.is_grantable then ' with grant option' else '' end)
from pg_default_acl d
join pg_namespace n on n.oid = d.defaclnamespace
cross join aclexplode(d.defaclacl) acl
where n.nspname = $1::text and pg_get_userbyid(d.defaclrole) = current_user;
