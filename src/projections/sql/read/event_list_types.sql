-- Events of several types in sequence order: of each as many as are asked for, along the index
-- of types, then the first of those. A type that is given twice counts once.
-- $1 person, $2 types, $3 since, $4 until, $5 properties, $6 anonymous id (each null: any),
-- $7 behind this sequence, $8 how many, $9 persons whose are left out (null: none).
with page as (
    select found.at
    from (select distinct unnest($2::text[])) asked (type)
    cross join lateral (
        select sequence as at
        from event
        where (event_type, sequence) > (asked.type, $7::bigint)
          and event_type <= asked.type
          and ($1::uuid is null or person_id = $1::uuid)
          and ($3::timestamp is null or datetime_created >= $3::timestamp)
          and ($4::timestamp is null or datetime_created < $4::timestamp)
          and ($5::text is null or properties @> $5::text::jsonb)
          and ($6::text is null or anonymous_id = $6::text)
          and ($9::uuid[] is null or (person_id = any($9::uuid[])) is not true)
        order by event_type, sequence
        limit $8::bigint
    ) found
    order by found.at
    limit $8::bigint
)
select sequence::bigint, id::uuid, datetime_created::timestamp, event_type::text,
       person_id::uuid, properties::jsonb, anonymous_id::text, received::timestamp
from page
join event on event.sequence = page.at
order by sequence;
