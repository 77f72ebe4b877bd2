alter table :"schema".checkpoint
    drop column checksum,
    drop column epoch,
    drop column holder,
    drop column held_by,
    drop column held_since;
