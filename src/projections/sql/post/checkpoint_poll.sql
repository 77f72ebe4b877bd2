-- Is everything as it was left, and is a retry wanted?
select store_id, sequence, (select count(*) from quarantine),
    (select count(*) from quarantine where retry), tableoid::bigint, checksum, epoch
from checkpoint;
