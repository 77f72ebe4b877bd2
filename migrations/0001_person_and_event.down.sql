-- What destroys names its schema, as psql does it: psql -v schema=daybook.
drop table :"schema".quarantine;
drop table :"schema".checkpoint;
drop function :"schema".person_json(:"schema".person, text);
drop function :"schema".newest_events(uuid, bigint);
drop function :"schema".event_json(uuid, timestamp, text, uuid, jsonb);
drop table :"schema".event;
drop table :"schema".person;
