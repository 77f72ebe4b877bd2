#!/usr/bin/env bash
# What is done in each system, from the top of the tree there.
#
#   steps.sh quick JOBS          builds as a user does, then the tests that are quick
#   steps.sh sql MAJOR JOBS      the tests that meet PostgreSQL, on that version
#
# Exit status 77: that version is not to be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What takes minutes, and depends on no system.
slow='^bench/|e2e/(model|faults/(kills|power|durability|disk_.*|damage))'
slow+='|e2e/operators/(import|export|backup|media|streams)|e2e/(api/wikipedia|access/access)'
# Statements, sessions, clusters; and what the API shows of them.
sql='^postgres/|^projections/|e2e/(api/seed|persons/persons|lists/(lists|look_ups))$'
sql+='|e2e/handlers/(events|batch|fresh)$'
sql+='|e2e/operators/(rebuild|verify|former_texts)$|tools/(migrate|setup_db|serve)$'
sql+='|e2e/faults/(versions|postgres|postgres_faults|private_cluster)$'

say() { echo "== $*"; }

# What is there before anything: make, as the README asks for; no server of Debian's runs
# beside those of the tests.
settle() {
    local said=/etc/postgresql-common/createcluster.d
    mkdir -p "$said"
    echo 'create_main_cluster = false' >"$said/tests.conf"
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    command -v make >/dev/null || install_packages make ca-certificates
}

install_packages() {
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"
}

have() {
    ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -n 1 | grep -qx "$1"
}

want_postgres() {
    have "$1" && return
    apt-get -q update
    if ! apt-cache show "postgresql-$1" >/dev/null 2>&1; then
        say "there is no postgresql-$1 here"
        exit 77
    fi
    install_packages "postgresql-$1"
    have "$1" || { say "a newer PostgreSQL is here: $(ls /usr/lib/postgresql)" && exit 77; }
}

build_tests() {
    tools/install-deps test
    [ -f build/dev/build.ninja ] || cmake --preset dev -Wno-dev "$@"
    cmake --build build/dev -j "$jobs"
}

jobs=${!#}
settle
case $1 in
quick)
    say "as a user builds it"
    make build JOBS="$jobs"
    build/release/daybook help >/dev/null
    say "with the tests"
    build_tests
    ctest --preset dev -j "$jobs" -E "$slow"
    ;;
sql)
    say "PostgreSQL $2"
    want_postgres "$2"
    # This is about PostgreSQL: what a compiler of tomorrow warns of is not.
    build_tests -DDAYBOOK_WERROR=OFF
    ctest --preset dev -j "$jobs" -R "$sql"
    ;;
esac
