-- Read the settings again.
select pg_reload_conf();
