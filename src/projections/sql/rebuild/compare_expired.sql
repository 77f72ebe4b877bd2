-- $1 up to which record events are expired: whether the tables have rows of them still.
select count(*)
from (select from event where sequence <= $1::bigint limit 1) one;
