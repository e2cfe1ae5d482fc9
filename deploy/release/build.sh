#!/usr/bin/env bash
# build.sh TARGET FOLDER: volley for any Linux of this architecture, packed for a release.
#
# TARGET is x86_64-unknown-linux-musl or aarch64-unknown-linux-musl. On a machine of the same architecture it takes a C compiler
# for musl (Debian: musl-tools), for the other one `zig` (PyPI: ziglang). Where the program runs here, it is built twice: the
# first one counts what is done under load (profile.sh), and the second, some percent faster and smaller, is made with that. pack.sh
# says what is in FOLDER afterwards.
set -euo pipefail
target=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

machine=${target%%-*}
rustup target add "$target"
if [ "$machine" = "$(uname -m)" ]; then
    variable=${target//-/_}
    export "CC_$variable=musl-gcc"
    # The linker that comes with Rust: functions of the same code become one (a megabyte), and the list of the addresses in the
    # data of a program that can be loaded anywhere is packed (two megabytes become 0.1).
    linker=$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/gcc-ld
    flags="-Clink-arg=-B$linker -Clink-arg=-fuse-ld=lld -Clink-arg=-Wl,--icf=all -Clink-arg=-Wl,-z,pack-relative-relocs"
    export "CARGO_TARGET_${variable^^}_RUSTFLAGS=$flags"
else
    # Cargo calls a linker by one name without arguments.
    tools=$(mktemp -d)
    trap 'rm -rf "$tools"' EXIT
    for tool in cc ar; do
        # `cc` says the target in Rust's words, which zig doesn't know.
        cat > "$tools/$tool" <<END
#!/usr/bin/env bash
of=()
for one; do [[ "\$one" == --target=* ]] || of+=("\$one"); done
exec python3 -m ziglang $tool $([ "$tool" = ar ] || echo "-target $machine-linux-musl") "\${of[@]}"
END
        chmod +x "$tools/$tool"
    done
    variable=${target//-/_}
    export "CC_$variable=$tools/cc" "AR_$variable=$tools/ar" "CARGO_TARGET_${variable^^}_LINKER=$tools/cc"
    # zig brings what a program begins with, as Rust does.
    export "CARGO_TARGET_${variable^^}_RUSTFLAGS=-Clink-self-contained=no"
fi
if [ "${PROFILE:-dist}" = dist ] && [ "$machine" = "$(uname -m)" ]; then
    counted=$PWD/target/counting/counted
    "$here/profile.sh" "$target" "$counted"
    guided=CARGO_TARGET_${variable^^}_RUSTFLAGS
    # What was counted seldom is not made small at the cost of its speed, as each row of the counting is seldom beside all others. The
    # program has 1.7 MB more for it.
    fast=-Cllvm-args=-pgso=false
    export "$guided=${!guided} -Cprofile-use=$counted/rust.profdata $fast" QUICKJS_PROFILE_USE="$counted"
fi
cargo build --locked --profile "${PROFILE:-dist}" --target "$target"
built=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
case "${PROFILE:-dist}" in dev) profile=debug ;; *) profile=${PROFILE:-dist} ;; esac
"$here/pack.sh" "$built/$target/$profile/volley" "$machine" "$folder"
