-- $1 sequence, $2 person, or $3 anonymous id (NULL both: the record could not be read),
-- $4 reason.
insert into :"schema".quarantine (sequence, person_id, anonymous_id, reason)
values ($1::bigint, $2::uuid, $3::text, $4::text);
