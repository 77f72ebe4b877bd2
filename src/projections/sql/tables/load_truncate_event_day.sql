truncate :"schema".event_day;
