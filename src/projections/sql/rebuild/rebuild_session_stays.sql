-- This connection has nothing to say while tables are built.
set idle_session_timeout = 0;
