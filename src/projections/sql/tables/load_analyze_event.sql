analyze :"schema".event;
