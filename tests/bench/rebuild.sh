#!/usr/bin/env bash
# How fast is `daybook rebuild`, against psql's \copy of the same final rows in binary and
# the same indexes, in one run on one PostgreSQL?
#
#   rebuild.sh BUILD_DIR [EVENTS]
#
# Prints a table of figure, ceiling and ratio, and writes BUILD_DIR/bench-rebuild.json.
# All of it stays on this machine; the PostgreSQL is a throwaway one on a unix socket.
set -euo pipefail

build=$(realpath "$1")
events=${2:-1000000}
rounds=${ROUNDS:-3}
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d /tmp/daybook-bench-XXXXXX)
chmod 755 "$work"
pg=$work/pg
trap '"$here/../postgres.sh" stop "$pg"; rm -rf "$work"' EXIT

export DB_HOST=$pg DB_NAME=daybook DB_USER=daybook DB_SCHEMA=daybook
export PGHOST=$pg PGDATABASE=daybook PGUSER=daybook
sql() { psql -qAtX -v ON_ERROR_STOP=1 "$@"; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.3f", b - a }'; }
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

"$here/../postgres.sh" start "$pg"
"$build/tests/generate/generate" --data-dir "$work/data" --events "$events" --seed 1 >&2

rebuild() { # seconds, and the most memory it took, in KiB
    python3 - "$build/daybook" rebuild --data-dir "$work/data" <<'PY'
import resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.PIPE)
if done.returncode != 0:
    sys.exit(done.stderr.decode())
print("%.3f %d" % (time.monotonic() - start,
                   resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
PY
}

rebuild >/dev/null # makes the tables that the ceiling is copied from
sql <<SQL
\copy (select * from daybook.person order by created_sequence) to '$work/person' (format binary)
\copy (select * from daybook.event order by sequence) to '$work/event' (format binary)
SQL
sql -c "select pg_get_indexdef(indexrelid) || ';' from pg_index
        where indrelid in ('daybook.person'::regclass, 'daybook.event'::regclass)" |
    sed 's/ daybook\./ ceiling./' >"$work/indexes.sql"
rows=$(sql -c 'select (select count(*) from daybook.person) + (select count(*) from daybook.event)')

ceiling() {
    sql -c 'drop schema if exists ceiling cascade' 2>/dev/null
    sql -c 'create schema ceiling' -c 'create table ceiling.person (like daybook.person)' \
        -c 'create table ceiling.event (like daybook.event)'
    local start
    start=$(now)
    sql <<SQL
\copy ceiling.person from '$work/person' (format binary)
\copy ceiling.event from '$work/event' (format binary)
\i $work/indexes.sql
analyze ceiling.person;
analyze ceiling.event;
SQL
    since "$start"
}

ours=() copies=() memory=0
for ((i = 0; i < rounds; i++)); do
    copies+=("$(ceiling)")
    read -r seconds kib < <(rebuild)
    ours+=("$seconds")
    memory=$((kib > memory ? kib : memory))
done
a=$(median "${ours[@]}") b=$(median "${copies[@]}")

awk -v rows="$rows" -v a="$a" -v b="$b" -v memory="$memory" -v events="$events" \
    -v json="$build/bench-rebuild.json" 'BEGIN {
    ratio = b / a
    printf "%-28s %12s %12s %7s %7s\n", "work", "figure", "ceiling", "ratio", "target"
    printf "%-28s %10.0f/s %10.0f/s %7.2f %7.2f\n", "rebuild, rows", rows / a, rows / b,
        ratio, 0.8
    printf "%-28s %8.0f MiB\n", "rebuild, peak memory", memory / 1024
    printf "{\"events\": %d, \"rows\": %d, \"rebuild_rows_per_s\": %.0f, " \
        "\"copy_rows_per_s\": %.0f, \"ratio\": %.3f, \"peak_kib\": %d}\n",
        events, rows, rows / a, rows / b, ratio, memory > json
}'
