-- Which log, and how far. Tables of every version have these.
select store_id, sequence from checkpoint;
