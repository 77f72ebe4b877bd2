-- How many persons there are, as the planner estimates it.
explain (format json)
select
from person;
