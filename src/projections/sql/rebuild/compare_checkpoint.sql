select store_id, sequence from checkpoint;
