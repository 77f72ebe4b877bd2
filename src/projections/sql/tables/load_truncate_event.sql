truncate :"schema".event;
