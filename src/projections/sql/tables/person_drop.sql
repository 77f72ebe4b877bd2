-- $1 ids. Those of $2, anonymous ids, are no matter here.
delete from :"schema".person where id = any($1::uuid[]) and $2::text[] is not null;
