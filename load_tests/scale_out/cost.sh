#!/bin/sh
# What joining costs, with an optimised build: one command.
cd "$(dirname "$0")/../.." && cargo build --release && exec load_tests/scale_out/cost.py --bin target/release/volley "$@"
