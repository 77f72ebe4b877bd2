-- Put the newest properties into the indexes proper, from the lists where an insert leaves
-- them for whoever comes by.
select gin_clean_pending_list(format('%I.event_properties', :'schema')::regclass),
    gin_clean_pending_list(format('%I.person_properties', :'schema')::regclass);
