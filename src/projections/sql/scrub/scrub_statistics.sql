-- Write the statistics anew: those of tables that are gone lie in their pages still.
vacuum (full) pg_catalog.pg_statistic;
