-- For what follows in this session: plan a statement once, for all parameters.
set plan_cache_mode = force_generic_plan;
