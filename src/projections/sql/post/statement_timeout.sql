-- $1 milliseconds, for what follows in this session.
select set_config('statement_timeout', $1::text, false);
