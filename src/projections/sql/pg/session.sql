-- What every session is set to. $1 schema, $2 milliseconds, $3 synchronous commit (on or
-- off), $4 fixed plans (on or off).
-- jit and parallel workers: starting them takes longer than any statement here runs. What
-- ends idle sessions, or bounds locks and transactions, is for others: these have bounds of
-- their own.
select set_config('search_path', quote_ident($1::text), false),
       set_config('statement_timeout', $2::text, false),
       set_config('lock_timeout', '0', false),
       set_config('idle_session_timeout', '0', false),
       set_config('idle_in_transaction_session_timeout', '0', false),
       case when current_setting('transaction_timeout', true) is not null
            then set_config('transaction_timeout', '0', false) end, -- from 17 on
       set_config('synchronous_commit', $3::text, false),
       set_config('TimeZone', 'UTC', false),
       set_config('DateStyle', 'ISO, YMD', false),
       set_config('jit', 'off', false),
       set_config('max_parallel_workers_per_gather', '0', false),
       set_config('enable_seqscan', case when $4::boolean then 'off' else 'on' end, false),
       set_config('enable_sort', case when $4::boolean then 'off' else 'on' end, false),
       set_config('plan_cache_mode',
                  case when $4::boolean then 'force_generic_plan' else 'auto' end, false);
