-- Whether settings are as a scrub has them, and none that has set them runs. Where it is so,
-- none begins until the connection ends.
select case when current_setting('wal_recycle')::bool then false
            else pg_try_advisory_lock(hashtextextended('daybook scrub', 0)) end;
