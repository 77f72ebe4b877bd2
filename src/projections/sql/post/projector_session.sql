-- Every statement of the projector goes by key. A plan made while a table was small must
-- not be a scan of it when it has grown.
set enable_seqscan = off;
-- The index of properties keeps new entries in a list, which the insert that makes it too
-- long has to empty: half a second for 4 MB, in which nothing becomes visible. The
-- projector has it emptied on another connection (event_tidy.sql), long before this.
set gin_pending_list_limit = '64MB';
