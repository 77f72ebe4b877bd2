-- Who is restricted, all of them: $1 ids, $2 by which records; where the tables have the epoch
-- $3 (null: whatever they have), which they keep until this is done.
with held as (
    select from :"schema".checkpoint where epoch = $3::bigint for share
),
those as (
    select person_id, sequence
    from unnest($1::uuid[], $2::bigint[]) as t (person_id, sequence)
    where $3::bigint is null or exists (select from held)
),
gone as (
    delete from :"schema".restricted r
    where ($3::bigint is null or exists (select from held))
        and not exists (select from those t where t.person_id = r.person_id)
)
insert into :"schema".restricted as r (person_id, sequence)
select person_id, sequence from those
on conflict (person_id) do update set sequence = excluded.sequence
where r.sequence <> excluded.sequence;
