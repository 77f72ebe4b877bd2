-- Which log, and how far. Tables of every version have these; some say where they were before
-- they were emptied.
select store_id, greatest(sequence, (to_jsonb(c) ->> 'were_at')::bigint) from checkpoint c;
