-- Put the newest properties into the index proper, from the list where an insert leaves
-- them for whoever comes by.
select gin_clean_pending_list(format('%I.event_properties', :'schema')::regclass);
