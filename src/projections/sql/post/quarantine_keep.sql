-- $1 sequence, $2 why it failed this time.
update :"schema".quarantine set reason = $2::text, retry = false where sequence = $1::bigint;
