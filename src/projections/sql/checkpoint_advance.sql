-- $1 store id, $2 from, $3 to, $4 how many are in quarantine. Where another projector
-- has moved on, or has healed somebody, this divides by zero: nothing of the batch stays.
with moved as (
    update checkpoint set sequence = $3::bigint
    where store_id = $1::uuid and sequence = $2::bigint
        and (select count(*) from quarantine) = $4::bigint
    returning 1)
select 1 / count(*) from moved;
