-- Events in sequence order. $1 person, $2 type, $3 since, $4 until, $5 properties (each
-- null: any), $6 behind this sequence, $7 how many, $8 whether to look for few.
--
-- Planned anew for its parameters each time, so all arms but one fall away. Each arm asks
-- for an order that only the index it means can give: the planner may not choose, for it
-- takes matches to be spread evenly over the sequence, and would walk past millions of
-- events to the first of someone who came late.
with few as materialized (
    -- $8: all matches by whatever index finds them, given up where there are many.
    select sequence as at
    from event
    where $8::boolean
      and ($1::uuid is null or person_id = $1::uuid)
      and ($2::text is null or event_type = $2::text)
      and ($3::timestamp is null or datetime_created >= $3::timestamp)
      and ($4::timestamp is null or datetime_created < $4::timestamp)
      and ($5::text is null or properties @> $5::text::jsonb)
    limit 10001
),
listed as (
    (select *
     from event
     where not $8::boolean
       and $1::uuid is null
       and $2::text is null
       and ($3::timestamp is null or datetime_created >= $3::timestamp)
       and ($4::timestamp is null or datetime_created < $4::timestamp)
       and ($5::text is null or properties @> $5::text::jsonb)
       and sequence > $6::bigint
     order by sequence
     limit $7::bigint)
    union all
    (select *
     from event
     where not $8::boolean
       and $1::uuid is not null
       and ($2::text is null or event_type = $2::text)
       and ($3::timestamp is null or datetime_created >= $3::timestamp)
       and ($4::timestamp is null or datetime_created < $4::timestamp)
       and ($5::text is null or properties @> $5::text::jsonb)
       and (person_id, sequence) > ($1::uuid, $6::bigint)
       and person_id <= $1::uuid
     order by person_id, sequence
     limit $7::bigint)
    union all
    (select *
     from event
     where not $8::boolean
       and $1::uuid is null
       and $2::text is not null
       and ($3::timestamp is null or datetime_created >= $3::timestamp)
       and ($4::timestamp is null or datetime_created < $4::timestamp)
       and ($5::text is null or properties @> $5::text::jsonb)
       and (event_type, sequence) > ($2::text, $6::bigint)
       and event_type <= $2::text
     order by event_type, sequence
     limit $7::bigint)
    union all
    (select event.*
     from (
         select at
         from few
         where at > $6::bigint
           and (select count(*) from few) <= 10000
         order by at
         limit $7::bigint
     ) page
     join event on event.sequence = page.at)
)
select listed.sequence::bigint as cursor,
       listed.sequence::bigint as version,
       ('{"id":"' || id
           || '","datetime_created":"'
           || to_char(datetime_created, 'YYYY-MM-DD"T"HH24:MI:SS.US')
           || '","event_type":' || to_json(event_type)::text
           || ',"person_id":"' || person_id || '"'
           || coalesce(',"properties":' || properties::text, '') || '}')::text as json
from listed
union all
-- One row of zeros says that there are many.
select 0::bigint, 0::bigint, ''::text
where $8::boolean
  and (select count(*) from few) > 10000
order by cursor;
