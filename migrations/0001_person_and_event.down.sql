drop table quarantine;
drop table checkpoint;
drop function person_json(person, text);
drop function newest_events(uuid, bigint);
drop function event_json(uuid, timestamp, text, uuid, jsonb);
drop table event;
drop table person;
