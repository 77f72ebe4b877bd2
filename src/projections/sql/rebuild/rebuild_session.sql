-- Never make readers wait behind us for long, and let go before PostgreSQL looks for
-- deadlocks, of which a reader could be the victim.
set lock_timeout = '200ms';
