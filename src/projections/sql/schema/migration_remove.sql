-- $1 version.
delete from schema_migration where version = $1::integer;
