#!/bin/sh
# A throwaway PostgreSQL for the tests, entirely below DIR: its socket is DIR itself, it
# has no TCP port, user and database are "daybook". As root it runs as user postgres.
#
#   postgres.sh start DIR   makes it and starts it; one left over is replaced
#   postgres.sh stop DIR    stops it and removes DIR
set -eu

usage() {
    echo "usage: $0 start|stop DIR (an absolute path below /tmp, at most 80 characters)" >&2
    exit 2
}

[ $# -eq 2 ] || usage
action=$1
dir=$2
case $dir in
/tmp/?*) ;;
*) usage ;;
esac
[ ${#dir} -le 80 ] || usage
marker=$dir/daybook-test-cluster # only what carries it is ever removed
data=$dir/data

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
    echo "$0: no PostgreSQL server in /usr/lib/postgresql: apt-get install postgresql" >&2
    exit 1
fi

as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        (cd / && "$@")
    fi
}

stop() {
    [ -e "$dir" ] || return 0
    if [ ! -e "$marker" ]; then
        echo "$0: $dir is not a test cluster; remove it by hand" >&2
        exit 1
    fi
    if [ -e "$data/postmaster.pid" ]; then
        pid=$(head -n 1 "$data/postmaster.pid")
        as_postgres timeout 30 "$bin/pg_ctl" stop -D "$data" -m immediate -t 20 -s \
            >/dev/null 2>&1 || true
        # Stopped processes do not hear pg_ctl; only a postmaster of this very cluster
        # is killed, never a stranger with a recycled pid.
        if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "-D $data"; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    fi
    rm -rf "$dir"
}

start() {
    stop
    mkdir -m 0700 "$dir"
    touch "$marker"
    if [ "$(id -u)" -eq 0 ]; then
        chown -R postgres: "$dir"
    fi
    # The log is kept outside until all is well: DIR goes away on failure.
    if ! as_postgres timeout 60 "$bin/initdb" -D "$data" -U daybook -A trust -E UTF8 \
        --locale=C.UTF-8 --no-sync --no-instructions >"$dir/initdb.log" 2>&1; then
        cat "$dir/initdb.log" >&2
        rm -rf "$dir"
        exit 1
    fi
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 100
shared_buffers = 64MB
log_min_messages = warning
CONF
    if ! as_postgres timeout 60 "$bin/pg_ctl" start -D "$data" -w -t 50 -s \
        -l "$data/server.log" >/dev/null 2>&1 </dev/null; then
        cat "$data/server.log" >&2
        stop
        exit 1
    fi
    as_postgres timeout 20 "$bin/createdb" -h "$dir" -U daybook daybook
}

case $action in
start) start ;;
stop) stop ;;
*) usage ;;
esac
