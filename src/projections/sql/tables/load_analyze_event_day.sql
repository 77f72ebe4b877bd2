analyze :"schema".event_day;
