-- A projector holds the checkpoint for the length of a batch.
set local lock_timeout = '5s';
