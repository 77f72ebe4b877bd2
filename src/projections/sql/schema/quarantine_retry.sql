update :"schema".quarantine set retry = true;
