-- For what follows in this session: while a statement runs, look whether who asked is still
-- connected, and end it where not.
set client_connection_check_interval = '200ms';
