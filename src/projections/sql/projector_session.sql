-- Every statement of the projector goes by key. A plan made while a table was small must
-- not be a scan of it when it has grown.
set enable_seqscan = off;
