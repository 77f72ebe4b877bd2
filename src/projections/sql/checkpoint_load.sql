-- The checkpoint and everything in quarantine, as of one moment; no row: no checkpoint.
select c.store_id, c.sequence, q.sequence, q.person_id
from checkpoint c left join quarantine q on true
order by q.sequence;
