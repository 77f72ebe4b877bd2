-- The statement that counts the persons in quarantine in either schema. $1, $2 schemas.
select format('select count(distinct person_id) from (select person_id from %I.quarantine'
    ' union all select person_id from %I.quarantine) both_of_them', $1::text, $2::text);
