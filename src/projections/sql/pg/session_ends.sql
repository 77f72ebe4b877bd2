-- As if nothing had been set, prepared or locked.
discard all;
