-- Who answers: the process, the encoding of the database, its name.
select pg_backend_pid(), current_setting('server_encoding'), current_database();
