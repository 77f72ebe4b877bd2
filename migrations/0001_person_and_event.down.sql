drop table quarantine;
drop table checkpoint;
drop table event;
drop table person;
