analyze :"schema".person;
