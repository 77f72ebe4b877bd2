-- How many persons there are.
select count(*)::bigint
from person;
