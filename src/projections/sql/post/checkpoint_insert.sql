-- $1 store id. Only beside empty tables: rows without a checkpoint are not ours to judge.
insert into :"schema".checkpoint (store_id, sequence)
select $1::uuid, 0
where not exists (select from person) and not exists (select from event)
on conflict do nothing;
