-- How far the tables are.
select sequence from checkpoint;
