-- $1 sequence, $2 person (NULL: the record could not be read), $3 reason.
insert into :"schema".quarantine (sequence, person_id, reason) values ($1::bigint, $2::uuid, $3::text);
