# The two commands a newcomer needs, then the rest. Each is a few lines; the work is in scripts/.
.PHONY: run test build setup bench mutants fuzz package types format

## Starts the hub with the demonstration estate and opens the tablet app.
run: setup build
	@scripts/run.sh

## Runs every check and every test.
test:
	@scripts/test.sh

## Builds both user interfaces, the app and the hub.
build:
	@scripts/build.sh

## Installs what building and testing need, where it is missing.
setup:
	@scripts/setup.sh

## Measures; one line of JSON for each figure. Release build.
bench: setup
	@scripts/bench.sh

## Breaks the program on purpose, and shows whether the simulation notices. SEEDS=n: with how many seeds each.
mutants: setup
	@scripts/mutants.sh

## Looks for bytes at which a promise does not hold. TARGET=wire, merge or tus, otherwise each; FOR=n: seconds.
fuzz: setup
	@for target in $(or $(TARGET),wire merge tus); do scripts/fuzz.sh $$target $(FOR) || exit 1; done

## Makes the app's .deb and the hub's, each with the notices of the software that it holds.
package: setup
	@scripts/package.sh

## Generates the TypeScript types from crates/domain.
types:
	cargo run -q -p standpipe-domain --example typescript

format:
	cargo fmt --all
	cd ui && npm run format
