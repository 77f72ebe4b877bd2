-- How many of these files are there still. $1 as scrub_segments.sql gives them.
select count(*) from pg_ls_waldir() where name = any ($1::text[]);
