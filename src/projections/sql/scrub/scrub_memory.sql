-- Pages of tables that were dropped stay as they are in the server's memory, until others take
-- their place: as many as it has room for do here, of a table that never is. A row fills more
-- than half a page, so each has one.
begin;
create unlogged table :"schema".scrub_memory (blanks text);
alter table :"schema".scrub_memory alter column blanks set storage plain;
insert into :"schema".scrub_memory
select repeat(' ', 4200) from generate_series(1,
    (select setting::bigint from pg_settings where name = 'shared_buffers'));
rollback;
