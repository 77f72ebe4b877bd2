-- Where tables of any version say that they are. Those of the first have no checksum.
select store_id, sequence, (to_jsonb(c) ->> 'checksum')::bigint from checkpoint c;
