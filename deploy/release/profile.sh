#!/usr/bin/env bash
# profile.sh TARGET FOLDER: which ways through volley are taken under load, for the compilers; build.sh makes a program with it.
#
# Makes a program for TARGET that counts, has it run the scripts of load_tests/speed on both engines, and writes to FOLDER what it
# counted: `rust.profdata`, and `quickjs.gcda` of the interpreter, which gcc compiles. That holds for these sources, these compilers,
# this target and the profile `dist` alone: of all else it says nothing. Takes Python and a machine that runs such programs; without
# nginx and openssl it finds out nothing about TLS and HTTP/2.
set -euo pipefail
target=$1 counted=$(realpath -m "$2")
cd "$(dirname "$0")/../.."

rustup component add llvm-tools
# A place that stays the same, so that what is built is known the next time.
folder=target/counting
counts=$PWD/$folder/counts
rm -rf "$counts" "$counted"
mkdir -p "$counted"
variable=${target//-/_}
flags=CARGO_TARGET_${variable^^}_RUSTFLAGS
export "$flags=${!flags:-} -Cprofile-generate=$counts" QUICKJS_PROFILE_GENERATE="$counted"
cargo build --locked --profile dist --target "$target" --target-dir "$folder"
load_tests/speed/run.py --bin "$folder/$target/dist/volley" --seconds 2 --repeat 1 \
    --rows simple,json,journey,batch,post,https,h2,ws,grpc
host=$(rustc --print host-tuple)
"$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" merge -o "$counted/rust.profdata" "$counts"
