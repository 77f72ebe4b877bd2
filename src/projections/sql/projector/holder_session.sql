-- A holder that is gone without a word is noticed within seconds: over the network by what
-- it does not answer, on this machine also in the middle of a statement.
set tcp_keepalives_idle = 5;
set tcp_keepalives_interval = 2;
set tcp_keepalives_count = 3;
set tcp_user_timeout = 10000;
set client_connection_check_interval = '1s';
