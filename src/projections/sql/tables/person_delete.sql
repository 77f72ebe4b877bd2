-- $1 ids, $2 how many there must be (NULL: any). Divides by zero where some are not there.
with gone as (delete from :"schema".person where id = any($1::uuid[]) returning 1)
select 1 / (count(*) = $2::bigint)::integer from gone;
