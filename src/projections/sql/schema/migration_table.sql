create table schema_migration (
    version integer primary key,
    name text not null,
    checksum text not null, -- SHA-256 of the up file, in hex
    applied_at timestamp not null
);
