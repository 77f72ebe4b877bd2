-- While it makes an index, PostgreSQL does not listen; this lets it look now and then
-- whether anybody still waits for it.
set client_connection_check_interval = '1s';
