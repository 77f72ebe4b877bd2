-- Frozen: the table was emptied in this transaction, and nobody else can see it yet.
copy :"schema".event (id, sequence, person_id, anonymous_id, event_type, datetime_created,
                      received, properties, properties_bytes)
from stdin with (format binary, freeze);
