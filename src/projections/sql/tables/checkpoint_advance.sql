-- $1 store id, $2 from, $3 to, $4 how many are in quarantine, $5 which table. Where
-- another projector has moved on, or has healed somebody, or these are other tables than
-- before, this divides by zero: nothing of the batch stays.
with moved as (
    update checkpoint set sequence = $3::bigint
    where store_id = $1::uuid and sequence = $2::bigint
        and (select count(*) from quarantine) = $4::bigint
        and tableoid::bigint = $5::bigint
    returning 1)
select 1 / count(*) from moved;
