-- $1 all of them (else those whose retry was asked for). Where a scan of the log for the
-- person's records may start, if there is a row that knows.
select q.sequence, p.created_sequence
from quarantine q left join person p on p.id = q.person_id
where q.retry or $1::boolean
order by q.sequence;
