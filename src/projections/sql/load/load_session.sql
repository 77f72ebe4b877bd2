-- Sorting for an index in memory where it can be: two are made at once.
set maintenance_work_mem = '128MB';
