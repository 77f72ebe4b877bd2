select (select count(*) from person), (select count(*) from event);
