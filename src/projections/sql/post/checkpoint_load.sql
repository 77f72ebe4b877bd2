-- The checkpoint and everything in quarantine, as of one moment; no row: no checkpoint.
-- And which table it is: a rebuild puts others in the place of all of them.
select c.store_id, c.sequence, q.sequence, q.person_id, c.tableoid::bigint, c.checksum, c.epoch,
    c.were_at, q.anonymous_id
from checkpoint c left join quarantine q on true
order by q.sequence;
