-- As session.sql has set it for reads.
set plan_cache_mode = force_generic_plan;
set enable_seqscan = off;
set enable_sort = off;
reset work_mem;
