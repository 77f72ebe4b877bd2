truncate :"schema".event_hour;
