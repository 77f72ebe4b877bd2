-- The commands that put one schema in the place of another, which may not be there.
-- $1 live schema, $2 the one that comes, $3 a name in between, $4 the outgoing one's new
-- name, $5 its mark, $6 the comment of the new live schema (NULL: as the old one's). What
-- has that name and mark already is named $7 instead and gets the mark $8.
with live as (
    select oid, obj_description(oid, 'pg_namespace') as comment
    from pg_namespace
    where nspname = $1::text
),
before as (
    select oid
    from pg_namespace
    where nspname = $4::text and nspname <> $2::text
        and obj_description(oid, 'pg_namespace') = $5::text
)
select command
from (
    select 1 as place, format('alter schema %I rename to %I', $2::text, $3::text) as command
    union all
    select 2, format('alter schema %I rename to %I', $4::text, $7::text) from before
    union all
    select 3, format('comment on schema %I is %L', $7::text, $8::text) from before
    union all
    select 4, format('alter schema %I rename to %I', $1::text, $4::text) from live
    union all
    select 5, format('comment on schema %I is %L', $4::text, $5::text) from live
    union all
    select 6, format('alter schema %I rename to %I', $3::text, $1::text)
    union all
    select 7, format('comment on schema %I is %L', $1::text,
                     coalesce($6::text, (select comment from live)))
) commands
order by place;
