-- Whether there is a checkpoint to be locked.
select to_regclass('checkpoint') is not null;
