-- For what follows in this session: plan for the parameters given, as the size of the tables
-- wants it, and sort in memory what fits into that much.
set plan_cache_mode = force_custom_plan;
set enable_seqscan = on;
set enable_sort = on;
set work_mem = '64MB';
