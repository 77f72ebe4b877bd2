-- Give up the tables, so that the next one need not wait. $1 holder, $2 epoch.
update :"schema".checkpoint set holder = null, held_by = null, held_since = null
where holder = $1::text and epoch = $2::bigint;
