alter system reset min_wal_size;
