truncate :"schema".person;
