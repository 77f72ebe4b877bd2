-- $1 ids of persons, whose events with an anonymous id stay; $2 anonymous ids.
delete from :"schema".event
where (person_id = any($1::uuid[]) and anonymous_id is null)
    or anonymous_id = any($2::text[]);
