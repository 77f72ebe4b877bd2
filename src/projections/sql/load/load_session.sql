-- Sorting for an index in memory where it can be: two are made at once.
set maintenance_work_mem = '128MB';
-- And for counting the events, by persons.
set work_mem = '64MB';
