-- $1 ids of persons.
delete from :"schema".event where person_id = any($1::uuid[]);
