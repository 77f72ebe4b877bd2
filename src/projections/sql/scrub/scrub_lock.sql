-- One at a time has set them otherwise: until the connection ends.
select pg_advisory_lock(hashtextextended('daybook scrub', 0));
