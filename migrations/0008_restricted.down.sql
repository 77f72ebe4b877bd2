drop view :"schema".event_shown;
drop view :"schema".person_shown;
drop table :"schema".restricted;
