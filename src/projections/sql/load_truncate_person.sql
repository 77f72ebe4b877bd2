truncate person;
