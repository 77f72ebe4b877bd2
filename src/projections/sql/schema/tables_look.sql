-- Fails where a table, a column, a function or a trigger of ours is not there, or a column is
-- of a type that does not go with its own. Reads no row of theirs. Without the triggers the
-- events would be counted no more: their number is looked up as if it were a table's name.
select 1
from (
    select count(*) as seen
    from pg_trigger
    where tgrelid = 'event'::regclass and tgenabled in ('O', 'A')
        and tgname in ('event_counts_came', 'event_counts_went', 'event_counts_emptied')
) triggers
where seen <> 3
  and format('"%s of the 3 triggers event_counts_"', seen)::regclass is not null
union all
select 1
from person p, event e, checkpoint c, quarantine q, event_hour h,
     event_day d, restricted r
where false
  and p.id = null::uuid and p.sequence = null::bigint
  and p.created_sequence = null::bigint and p.datetime_created = null::timestamp
  and p.datetime_modified = null::timestamp and p.email = null::text
  and p.first_name = null::text and p.last_name = null::text and p.role = null::text
  and p.external_id = null::text and p.properties @> null::jsonb
  and p.properties_bytes = null::integer
  and e.id = null::uuid and e.sequence = null::bigint and e.person_id = null::uuid
  and e.anonymous_id = null::text and e.received = null::timestamp
  and e.event_type = null::text and e.datetime_created = null::timestamp
  and e.properties @> null::jsonb and e.properties_bytes = null::integer
  and h.hour = null::timestamp and h.event_type = null::text and h.events = null::bigint
  and h.first = null::timestamp and h.last = null::timestamp
  and d.day = null::date and d.event_type = null::text and d.events = null::bigint
  and d.first = null::timestamp and d.last = null::timestamp
  and r.person_id = null::uuid and r.sequence = null::bigint
  and c.store_id = null::uuid and c.sequence = null::bigint
  and c.checksum = null::bigint and c.were_at = null::bigint
  and c.epoch = null::bigint and c.holder = null::text
  and c.held_by = null::text and c.held_since = null::timestamp
  and q.sequence = null::bigint and q.person_id = null::uuid
  and q.anonymous_id = null::text and q.reason = null::text
  and q.quarantined_at = null::timestamp and q.retry = null::boolean
  and person_json(p, '') = null::text
  and event_json(e.id, e.datetime_created, e.event_type, e.person_id, e.anonymous_id,
                 e.properties, '') = null::text
  and exists (select 1 from newest_events(p.id, 1, '') newest (events)
              where newest.events = null::text);
