-- Projectors of two processes take turns. A statement of its own, so that the next one
-- sees what the other has committed.
select from checkpoint for update;
