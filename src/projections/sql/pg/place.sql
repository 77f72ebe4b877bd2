-- Whether this is the session that the connection was opened with, in its database, and
-- with the schema as it was set; else this divides by zero. $1 process, $2 database, $3
-- schema.
select 1 / (pg_backend_pid()::text = $1::text and current_database() = $2::text
            and current_setting('search_path') = quote_ident($3::text))::integer;
