-- Frozen: the table was emptied in this transaction, and nobody else can see it yet.
copy :"schema".person (id, sequence, created_sequence, datetime_created, datetime_modified, email,
             first_name, last_name, role, external_id, properties)
from stdin with (format binary, freeze);
