-- For what follows in this session: plan for the parameters given.
set plan_cache_mode = force_custom_plan;
