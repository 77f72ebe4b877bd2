-- The rows of the tables under ids that count from 1, for pgbench to select from.
drop schema if exists bench cascade;
create schema bench;

create table bench.event as
select lpad(to_hex(row_number() over (order by sequence)), 32, '0')::uuid as id,
       sequence, person_id, event_type, datetime_created, properties, properties_bytes
from daybook.event;
alter table bench.event add primary key (id);

create table bench.person as
select lpad(to_hex(row_number() over (order by created_sequence)), 32, '0')::uuid as id,
       sequence, created_sequence, datetime_created, datetime_modified, email, first_name,
       last_name, role
from daybook.person;
alter table bench.person add primary key (id);

vacuum analyze bench.event;
vacuum analyze bench.person;
