-- What the tables say of themselves. An estimate below zero: never estimated yet.
select c.store_id, c.sequence,
    (select count(*) from quarantine),
    (select count(*) from person),
    case when e.reltuples < 0 then (select count(*) from event)
        else e.reltuples::bigint end,
    pg_total_relation_size('person') + pg_total_relation_size('event')
        + pg_total_relation_size('event_hour') + pg_total_relation_size('event_day'),
    current_setting('transaction_read_only')::boolean,
    c.checksum,
    e.reltuples < 0
from checkpoint c, pg_class e
where e.oid = 'event'::regclass;
