-- $1 ids, $2 sequences, $3 datetimes modified, $4 emails, $5 first names, $6 last names,
-- $7 roles, $8 external ids, $9 properties (NULL: as it was; '', and null of properties: none
-- any more), $10 how many. Divides by zero where some are not there.
with changed as (
    update :"schema".person p
    set sequence = u.sequence,
        datetime_modified = u.datetime_modified,
        email = nullif(coalesce(u.email, p.email), ''),
        first_name = nullif(coalesce(u.first_name, p.first_name), ''),
        last_name = nullif(coalesce(u.last_name, p.last_name), ''),
        role = coalesce(u.role, p.role),
        external_id = nullif(coalesce(u.external_id, p.external_id), ''),
        properties = nullif(coalesce(u.properties, p.properties), 'null')
    from unnest($1::uuid[], $2::bigint[], $3::timestamp[], $4::text[], $5::text[],
                $6::text[], $7::text[], $8::text[], $9::jsonb[])
        as u (id, sequence, datetime_modified, email, first_name, last_name, role,
              external_id, properties)
    where p.id = u.id
    returning 1)
select 1 / (count(*) = $10::bigint)::integer from changed;
