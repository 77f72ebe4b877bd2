-- When the days $2 and $3 (00:00 of each) begin in the time zone $1, in UTC: two rows. Fails
-- (22023) where there is no such zone.
-- Where midnight comes twice, for clocks go back then, a day begins with the first, 24 hours
-- behind that of the day before; where it is left out, with what comes instead.
select (case when sooner at time zone $1::text >= midnight
            then least(sooner, at) else at end at time zone 'UTC')::timestamp
from (
    select which, midnight, midnight at time zone $1::text as at,
           (midnight - interval '1 day') at time zone $1::text + interval '24 hours'
               as sooner
    from (values (1, $2::timestamp), (2, $3::timestamp)) day (which, midnight)
) began
where timezone($1::text, now()) is not null -- which looks for it also where both are infinite
order by which;
