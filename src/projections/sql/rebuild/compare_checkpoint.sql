select store_id, sequence, checksum from checkpoint;
