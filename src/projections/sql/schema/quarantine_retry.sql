update quarantine set retry = true;
