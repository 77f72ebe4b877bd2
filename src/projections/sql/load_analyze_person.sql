analyze person;
