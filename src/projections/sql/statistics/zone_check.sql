-- Fails (22023) where there is no such time zone. $1 its name.
select timezone($1::text, now()) is not null;
