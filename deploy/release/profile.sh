#!/usr/bin/env bash
# profile.sh FILE: which ways through volley are taken under load, as the compiler reads it. build.sh makes a program with it that
# spends less time on them.
#
# Makes a program that counts, for this machine whatever a release is made for, has it run the scripts of load_tests/speed on both
# engines, and writes what it counted to FILE. That holds for the sources and the compiler it was made with; of what has changed since,
# nothing is known. Takes rustup and Python; without nginx and openssl nothing is known of TLS and HTTP/2 either.
set -euo pipefail
file=$(realpath -m "$1")
cd "$(dirname "$0")/../.."

rustup component add llvm-tools
host=$(rustc --print host-tuple)
counts=$(mktemp -d)
trap 'rm -rf "$counts"' EXIT
# A target is named so that what runs while building does not count.
RUSTFLAGS="-Cprofile-generate=$counts" cargo build --locked --profile dist --target "$host" --target-dir target/counting
load_tests/speed/run.py --bin "target/counting/$host/dist/volley" --seconds 2 --repeat 1 \
    --rows simple,json,journey,batch,post,https,h2,ws,grpc
"$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" merge -o "$file" "$counts"
