#!/usr/bin/env bash
# Installs a release of volley in a pipeline: `volley` and, as scripts written for k6 call it, `k6`. Variables:
#   VOLLEY_RELEASE     which one, such as 0.1.0 (default: the latest)
#   VOLLEY_RELEASES    where they are: the address of the repository's releases
#   VOLLEY_FOLDER      where to (default: .volley/bin in the home folder)
#   VOLLEY_K6_VERSION  the version of k6 the pipeline was written for, if it says one
#   VOLLEY_BROWSER     true: makes sure that there is a Chromium
# In a workflow of GitHub the folder gets into PATH and the version becomes an output.
set -euo pipefail
fail() { echo "setup-volley: $1" >&2; exit 1; }

release=${VOLLEY_RELEASE:-latest} releases=${VOLLEY_RELEASES:?the address of the releases}
folder=${VOLLEY_FOLDER:-$HOME/.volley/bin}
[ "$(uname -s)" = Linux ] || fail "volley runs on Linux; here it would need a container"
case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no release for $(uname -m), only for x86_64 and aarch64" ;;
esac
case $release in
    latest) from=$releases/latest/download ;;
    *) from=$releases/download/v${release#v} ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { curl --fail --silent --show-error --location --retry 3 --output "$work/$1" "$from/$1" || fail "$from/$1 can't be had"; }
fetch SHA256SUMS
line=$(grep -E "  volley-v[^ ]*-linux-$arch\.tar\.gz\$" "$work/SHA256SUMS") || fail "$from has no volley for $arch"
archive=${line##* }
fetch "$archive"
(cd "$work" && echo "$line" | sha256sum --check --quiet --strict) || fail "$archive is not what SHA256SUMS says"
tar -xzf "$work/$archive" -C "$work"
mkdir -p "$folder"
install -m 0755 "$work/${archive%.tar.gz}/volley" "$folder/volley"
ln -sf volley "$folder/k6"

version=$("$folder/volley" version)
echo "$version"
wanted=${VOLLEY_K6_VERSION:-}
wanted=${wanted#v}
if [ -n "$wanted" ] && [ "$wanted" != latest ]; then
    same=$("$folder/k6" version | sed -n 's/^k6 v\([0-9]*\.[0-9]*\).*/\1/p')
    [ "${wanted%.*}" = "$same" ] || [ "$wanted" = "$same" ] ||
        echo "::notice title=setup-volley::the workflow asks for k6 $wanted; volley behaves like k6 $same"
fi
if [ "${VOLLEY_BROWSER:-false}" = true ]; then
    found=
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        ! command -v "$name" > /dev/null || found=$name
    done
    if [ -z "$found" ]; then
        sudo=
        [ "$(id -u)" = 0 ] || sudo=sudo
        $sudo apt-get update -qq
        $sudo apt-get install -y -qq --no-install-recommends chromium
    fi
fi
if [ -n "${GITHUB_PATH:-}" ]; then
    echo "$folder" >> "$GITHUB_PATH"
    echo "version=${version%%$'\n'*}" >> "$GITHUB_OUTPUT"
fi
