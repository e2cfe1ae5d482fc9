#!/usr/bin/env bash
# formula.sh FOLDER URL: the Homebrew formula of a release, on standard output. FOLDER holds its archives (pack.sh), URL is where
# they can be had. Homebrew runs it on Linux; on macOS volley runs in a container.
set -euo pipefail
folder=$1 url=${2%/}
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

sum() {
    local archive="$folder/volley-v$version-linux-$1.tar.gz"
    [ -e "$archive" ] || { echo "formula.sh: there is no $archive" >&2; exit 1; }
    sha256sum "$archive" | cut -d ' ' -f 1
}

amd64=$(sum amd64) arm64=$(sum arm64)
cat <<END
class Volley < Formula
  desc "Load tests that run k6 scripts unchanged, with truer latency numbers"
  homepage "${HOMEPAGE:-$url}"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]
  depends_on :linux

  on_intel do
    url "$url/volley-v$version-linux-amd64.tar.gz"
    sha256 "$amd64"
  end
  on_arm do
    url "$url/volley-v$version-linux-arm64.tar.gz"
    sha256 "$arm64"
  end

  def install
    bin.install "volley"
    generate_completions_from_executable(bin/"volley", "completion")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/volley version")
  end
end
END
