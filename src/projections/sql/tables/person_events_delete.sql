-- $1 ids of persons.
delete from event where person_id = any($1::uuid[]);
