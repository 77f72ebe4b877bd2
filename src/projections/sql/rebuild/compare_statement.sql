-- How to compare the rows of one table in two schemas: by digests of their text, which
-- is stricter than equality (1.0 is not 1.00). But properties_bytes follows from properties, and
-- is NULL where nobody said it. What is of persons or anonymous ids that are in
-- quarantine in either is left out, also where it is theirs in one of the two only. $1 live
-- schema, $2 built one, $3 table, $4 its column that names the person, $5 how many differences
-- to tell, $6 its column that names the anonymous id (null: none).
-- One row: the columns that not both have alike ('' none), the statement. That gives kind,
-- id, sequence, columns that differ, and how many are missing, extra and changed in all.
with columns as (
    select a.attname as name,
        max(format_type(a.atttypid, a.atttypmod)) filter (where n.nspname = $1::text) as live,
        max(format_type(a.atttypid, a.atttypmod)) filter (where n.nspname = $2::text) as built
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ($1::text, $2::text) and c.relname = $3::text
        and a.attnum > 0 and not a.attisdropped
    group by a.attname
)
select
    coalesce(string_agg(name, ', ' order by name) filter (where live is distinct from built),
             ''),
    format($statement$
with quarantined as (
    select person_id, anonymous_id from %1$I.quarantine
    union
    select person_id, anonymous_id from %2$I.quarantine
),
persons as (select person_id from quarantined where person_id is not null),
ids as (select anonymous_id from quarantined where anonymous_id is not null),
live as (
    select id, sequence, md5(row(%5$s)::text) as digest,
        %4$I in (select person_id from persons)
            or %7$s in (select anonymous_id from ids) as aside
    from %1$I.%3$I
),
built as (
    select id, sequence, md5(row(%5$s)::text) as digest,
        %4$I in (select person_id from persons)
            or %7$s in (select anonymous_id from ids) as aside
    from %2$I.%3$I
),
differing as (
    select id, coalesce(built.sequence, live.sequence) as sequence,
        case when live.digest is null then 'missing' when built.digest is null then 'extra'
            else 'changed' end as kind
    from live full join built using (id)
    where live.digest is distinct from built.digest
        and live.aside is not true and built.aside is not true
),
first as (
    select *, count(*) filter (where kind = 'missing') over () as missing,
        count(*) filter (where kind = 'extra') over () as extra,
        count(*) filter (where kind = 'changed') over () as changed
    from differing
    order by sequence, id
    limit %6$s
)
select kind, first.id, first.sequence,
    case kind when 'changed' then
        (select string_agg(key, ', ' order by key)
         from jsonb_each_text(to_jsonb(l)) a full join jsonb_each_text(to_jsonb(b)) b
             using (key)
         where a.value is distinct from b.value)
    end,
    first.missing, first.extra, first.changed
from first
left join %1$I.%3$I l on l.id = first.id
left join %2$I.%3$I b on b.id = first.id
order by first.sequence, first.id
$statement$,
        $1::text, $2::text, $3::text, $4::text,
        string_agg(format('%I', name), ', ' order by name)
            filter (where live = built and name <> 'properties_bytes'),
        $5::bigint, coalesce(quote_ident($6::text), 'null::text'))
from columns;
