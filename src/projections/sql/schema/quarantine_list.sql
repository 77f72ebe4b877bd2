-- $1 how many at most, $2 behind which record.
select sequence, person_id, reason,
    to_char(quarantined_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), anonymous_id
from quarantine where sequence > $2::bigint order by sequence limit $1::bigint;
