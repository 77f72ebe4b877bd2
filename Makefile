# What a newcomer and CI type. Targets say what they need; nothing here is needed by CMake.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help start-api demo cluster-demo build viewer test test-tsan test-pooler test-browser test-clients test-metrics test-audit test-cluster test-systems torture fuzz \
	coverage deb test-deb bench bench-peers setup-db setup-db-stop format lint clean install-deps always

JOBS ?= $(shell nproc)
# Tests at once: much of what one takes is waiting for a disk, a clock or another process.
TESTS ?= $(shell echo $$(($(JOBS) + ($(JOBS) + 1) / 2)))
SOURCES = git ls-files '*.c' '*.h'

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

start-api: build ## install what is missing, build, and serve on http://127.0.0.1:8080
	@exec build/release/daybook serve

demo: build ## a week of Wikipedia and edits that go on, to look at; MINUTES=15, PORT=8080; Ctrl-C ends it
	@exec python3 -B examples/demo/run.py build/release/daybook $(if $(PORT),--port $(PORT)) \
		$(if $(MINUTES),--minutes $(MINUTES))

cluster-demo: build/release/build.ninja ## three servers, Kafka's brokers and haproxy on this machine, a leader killed; MINUTES=10
	@cmake -DDAYBOOK_CLUSTER=ON build/release >build/release/configure.log || \
		{ cat build/release/configure.log; exit 1; }
	@$(MAKE) --no-print-directory build
	@exec python3 -B examples/cluster/run.py build/release/daybook $(if $(MINUTES),--minutes $(MINUTES))

# Without the viewer /docs lists the routes, without its parts /console says how to have
# them: what cannot be had stops no build.
build: build/release/build.ninja ## build build/release/daybook, optimised
	@src/http/pages/get-viewer || true
	@src/http/pages/get-console || true
	@cmake --build build/release -j $(JOBS) --target daybook

viewer: ## bring what /docs and /console are made with, by npm where that is there
	@src/http/pages/get-viewer
	@src/http/pages/get-console

test: build/dev/build.ninja ## build with ASan and UBSan, and run all tests
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -j $(TESTS)

test-tsan: build/tsan/build.ninja ## build with TSan, and run all tests
	@cmake --build build/tsan -j $(JOBS)
	@ctest --preset tsan -j $(TESTS)

test-pooler: build/dev/build.ninja ## the tests with a pgbouncer, which the others skip where none is
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -R '^e2e/faults/pooler$$'

test-systems: ## as root: build and test in Debian 12 and 13, and on other PostgreSQLs; PART=x does one
	@python3 -B tests/systems/run.py --jobs $(JOBS) $(PART)

test-browser: build/dev/build.ninja ## in a real Chromium: pages send events, and the console is driven
	@src/http/pages/get-console
	@npm ci --prefix tests/console --silent --no-audit --no-fund
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -C browser -R '^e2e/(access/chromium|examples/browser|console/driven)$$'

test-clients: build/dev/build.ninja ## clients that generators make of /openapi.json; PART=python does one language
	@cmake --build build/dev -j $(JOBS) --target daybook
	@python3 -B tests/clients/run.py build/dev/daybook $(PART)

test-metrics: build/dev/build.ninja ## what /metrics tells, held against Prometheus' own promtool
	@cmake --build build/dev -j $(JOBS) --target daybook
	@ctest --preset dev -R '^e2e/metrics/'

test-audit: build/dev/build.ninja ## proofs and witnesses, held against public tools in Go; KILLS=n of the server (200)
	@cmake --build build/dev -j $(JOBS) --target daybook
	@$(if $(KILLS),DAYBOOK_ROUNDS=$(KILLS)) python3 -B tests/audit/run.py build/dev

test-cluster: build/dev/build.ninja ## several servers that are one, with Kafka's own brokers
	@npm ci --prefix tests/cluster --silent --no-audit --no-fund
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -C cluster -R '^(cluster|e2e/members|e2e/cluster)/'

torture: build/dev/build.ninja ## the tests that take minutes; SEED=n repeats a run, PART=x runs one
	@cmake --build build/dev -j $(JOBS)
	@python3 -B tests/torture/run.py build/dev $(if $(SEED),--seed $(SEED)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(HOURS),--hours $(HOURS)) $(PART)

coverage: build/coverage/build.ninja ## run all tests, and tell which branches of src they take
	@cmake --build build/coverage -j $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@ctest --preset coverage -j $(JOBS)
	@gcovr --config tests/coverage.cfg build/coverage

deb: build/release/build.ninja ## make build/release/daybook_VERSION_ARCH.deb
	@cmake -DDAYBOOK_CLUSTER=ON build/release >build/release/configure.log || \
		{ cat build/release/configure.log; exit 1; }
	@$(MAKE) --no-print-directory build
	@cmake --build build/release -j $(JOBS) --target manual
	@cd build/release && rm -f daybook_*.deb && cpack >cpack.log || { cat cpack.log; exit 1; }
	@ls build/release/daybook_*.deb

test-deb: deb ## as root: install the package, use it, purge it; in a copy of the system if it may
	@tools/install-deps test-deb
	@python3 -B tests/deploy/deb.py build/release/daybook_*.deb
	@python3 -B tests/deploy/booted.py build/release/daybook_*.deb

fuzz: build/fuzz/build.ninja ## fuzz what reads input, FUZZ_SECONDS=600 a target; PART=x fuzzes one
	@cmake --build build/fuzz -j $(JOBS) --target fuzz_targets
	@python3 -B tests/fuzz/run.py build/fuzz --seconds $(or $(FUZZ_SECONDS),600) \
		--jobs $(JOBS) $(PART)

bench: build/release/build.ninja ## measure against the parts underneath, and print the ratios
	@cmake -DBUILD_TESTING=ON build/release >build/release/configure.log
	@cmake --build build/release -j $(JOBS) --target bench
	@python3 -B tests/bench/run.py build/release

bench-peers: build/release/build.ninja ## measure against what others would take, in ../shared/peers or PEERS=DIR
	@$(MAKE) --no-print-directory build
	@python3 -B tests/bench/peers/run.py build/release $(if $(PEERS),--peers $(PEERS))

setup-db: ## start a local PostgreSQL for the values in .env
	@tools/install-deps
	@tools/setup-db start

setup-db-stop: ## stop it again; its data stays
	@tools/setup-db stop

format: ## format the C files in place
	@$(SOURCES) | xargs clang-format -i

lint: build/dev/build.ninja ## check the format, then cppcheck and clang-tidy over the C files
	@$(SOURCES) | xargs clang-format --dry-run -Werror
	@git ls-files 'src/*.c' 'tools/*.c' | xargs cppcheck --std=c11 -j $(JOBS) -q \
		--enable=warning,performance,portability --suppressions-list=.cppcheck \
		--error-exitcode=1 -Iinclude $$(ls -d src/*/ src/*/*/ tools/ tools/*/ | sed s/^/-I/)
	@cmake --build build/dev -j $(JOBS)
	@git ls-files 'src/*.c' 'tools/*.c' | \
		while read -r file; do \
			grep -qF "/$$file\"" build/dev/compile_commands.json && echo "$$file" || \
				echo "lint: not built here, so not looked at: $$file" >&2; \
		done | xargs -P $(JOBS) -n 4 clang-tidy -p build/dev --quiet --warnings-as-errors='*'

clean: ## delete what was built; data and node_modules stay
	@rm -rf build

install-deps: ## install the packages that are missing
	@tools/install-deps

# What else a target needs, so that whoever is asked for a password is asked once.
test test-tsan: DEPS = test
coverage: DEPS = coverage
deb: DEPS = deb
fuzz: DEPS = fuzz
bench bench-peers: DEPS = bench
lint: DEPS = lint
test-pooler: DEPS = test-pooler
test-browser: DEPS = test-browser
test-clients: DEPS = test-clients
test-metrics: DEPS = test-metrics
test-cluster cluster-demo: DEPS = test-cluster
demo: DEPS = demo

# Each run checks for missing packages (well under a second), and configures once.
build/%/build.ninja: always
	@tools/install-deps $(or $(DEPS),$(if $(filter release,$*),,dev))
	@[ -f $@ ] || cmake --preset $* -Wno-dev
