-- A row where the migrations have made tables, whatever has become of those.
select 1 where to_regclass('schema_migration') is not null;
