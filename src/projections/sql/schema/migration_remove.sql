-- $1 version.
delete from :"schema".schema_migration where version = $1::integer;
