-- The commands that make a schema of ours. $1 schema, $2 mark.
select format('create schema %I', $1::text)
union all
select format('comment on schema %I is %L', $1::text, $2::text);
