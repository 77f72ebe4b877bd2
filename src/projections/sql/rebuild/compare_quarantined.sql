-- The statement that counts the persons and anonymous ids in quarantine in either schema.
-- $1, $2 schemas.
select format('select count(distinct person_id) + count(distinct anonymous_id)'
    ' from (select person_id, anonymous_id from %I.quarantine'
    ' union all select person_id, anonymous_id from %I.quarantine) both_of_them',
    $1::text, $2::text);
