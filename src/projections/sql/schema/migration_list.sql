select version::integer,
       name::text,
       checksum::text,
       to_char(applied_at, 'YYYY-MM-DD"T"HH24:MI:SS.US')::text
from schema_migration
order by version;
