drop index :"schema".person_last_name;
drop index :"schema".person_first_name;
drop trigger event_counts_came on :"schema".event;
drop trigger event_counts_went on :"schema".event;
drop trigger event_counts_moved on :"schema".event;
drop trigger event_counts_emptied on :"schema".event;
drop function :"schema".event_counts();
drop table :"schema".event_day;
drop table :"schema".event_hour;

drop index :"schema".event_datetime_created;
create index event_datetime_created on event (datetime_created);
