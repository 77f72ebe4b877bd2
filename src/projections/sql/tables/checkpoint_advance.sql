-- $1 store id, $2 from, $3 to, $4 and $5 the checksums there (null at 0), $6 as who took the
-- tables over last, $7 how many are in quarantine, $8 which table. Where another projector
-- has moved on, or has taken them over, or has healed somebody, or these are other tables
-- than before, or are not of this history, this divides by zero: nothing of the batch stays.
with moved as (
    update :"schema".checkpoint set sequence = $3::bigint, checksum = $5::bigint
    where store_id = $1::uuid and sequence = $2::bigint
        and checksum is not distinct from $4::bigint
        and epoch = $6::bigint
        and (select count(*) from quarantine) = $7::bigint
        and tableoid::bigint = $8::bigint
    returning 1)
select 1 / count(*) from moved;
