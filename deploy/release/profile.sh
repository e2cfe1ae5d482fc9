#!/usr/bin/env bash
# profile.sh TARGET FILE: which ways through volley are taken under load, for the compiler; build.sh makes a program with it.
#
# Makes a program for TARGET that counts, has it run the scripts of load_tests/speed on both engines, and writes what it counted to
# FILE. That holds for these sources, this compiler, this target and the profile `dist` alone: of all else it says nothing. Takes Python
# and a machine that runs such programs; without nginx and openssl it finds out nothing about TLS and HTTP/2.
set -euo pipefail
target=$1 file=$(realpath -m "$2")
cd "$(dirname "$0")/../.."

rustup component add llvm-tools
# A place that stays the same, so that what is built is known the next time.
folder=target/counting
counts=$PWD/$folder/counts
rm -rf "$counts"
variable=${target//-/_}
flags=CARGO_TARGET_${variable^^}_RUSTFLAGS
export "$flags=${!flags:-} -Cprofile-generate=$counts"
cargo build --locked --profile dist --target "$target" --target-dir "$folder"
load_tests/speed/run.py --bin "$folder/$target/dist/volley" --seconds 2 --repeat 1 \
    --rows simple,json,journey,batch,post,https,h2,ws,grpc
host=$(rustc --print host-tuple)
"$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" merge -o "$file" "$counts"
