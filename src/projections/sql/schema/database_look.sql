-- $1 schema. What the database is, and what we may do in it.
select current_setting('server_version'), pg_encoding_to_char(d.encoding),
    current_setting('transaction_read_only')::boolean,
    n.oid is not null,
    has_database_privilege(d.oid, 'create'),
    coalesce(has_schema_privilege(n.oid, 'usage') and has_schema_privilege(n.oid, 'create'),
        false),
    current_setting('session_replication_role') = 'replica',
    -- How many connections it gives us at most.
    (select least(nullif(rolconnlimit, -1), nullif(d.datconnlimit, -1),
                  current_setting('max_connections')::integer
                      - current_setting('superuser_reserved_connections')::integer)
     from pg_roles where rolname = session_user)
from pg_database d left join pg_namespace n on n.nspname = $1::text
where d.datname = current_database();
