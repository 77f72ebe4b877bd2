-- Whether the triggers that count events fire in this session; else this divides by zero.
-- Behind a change of events: who disables one waits for its lock.
select 1 / (count(*) = 3)::integer
from pg_trigger
where tgrelid = 'event'::regclass
    and tgname in ('event_counts_came', 'event_counts_went', 'event_counts_emptied')
    and (tgenabled = 'A'
         or tgenabled = case when current_setting('session_replication_role') = 'replica'
                             then 'R' else 'O' end::"char");
