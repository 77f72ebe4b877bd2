truncate event;
