analyze :"schema".event_hour;
