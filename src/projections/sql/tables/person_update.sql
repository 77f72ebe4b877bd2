-- $1 ids, $2 sequences, $3 datetimes modified, $4 emails, $5 first names, $6 last names,
-- $7 roles (NULL: as it was), $8 how many. Divides by zero where some are not there.
with changed as (
    update :"schema".person p
    set sequence = u.sequence,
        datetime_modified = u.datetime_modified,
        email = coalesce(u.email, p.email),
        first_name = coalesce(u.first_name, p.first_name),
        last_name = coalesce(u.last_name, p.last_name),
        role = coalesce(u.role, p.role)
    from unnest($1::uuid[], $2::bigint[], $3::timestamp[], $4::text[], $5::text[],
                $6::text[], $7::text[])
        as u (id, sequence, datetime_modified, email, first_name, last_name, role)
    where p.id = u.id
    returning 1)
select 1 / (count(*) = $8::bigint)::integer from changed;
