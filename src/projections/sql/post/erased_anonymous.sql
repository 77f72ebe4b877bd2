-- $1 ids of persons. The anonymous ids by which they have events, and the last of each.
select person_id, anonymous_id, max(sequence)
from :"schema".event
where person_id = any($1::uuid[]) and anonymous_id is not null
group by 1, 2;
