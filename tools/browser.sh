#!/bin/sh
# Sets up what the tests in a browser need, in .build/browser: a headless Chromium (for Linux on x86-64) with its libraries
# and a font, and axe, all out of npm's packages and by their hashes. `lock` writes their lock anew, without addresses.
#
# Does nothing, in a few milliseconds, while nothing that it depends on has changed.
set -eu
cd "$(dirname "$0")/.."
. tools/node.sh

source=$PWD/tests/web/browser
folder=$PWD/.build/browser

fail() {
    echo "browser: $*" >&2
    exit 1
}

install() {
    inputs=$(cat tools/browser.sh "$source"/package-lock.json "$source"/unpack.mjs | cksum)
    if [ "$(cat "$folder/installed" 2>/dev/null)" = "$inputs" ]; then
        return
    fi
    echo "browser: setting up the browser of the tests" >&2
    use_node || fail "Node could not be fetched; is there a network?"
    # Begun anew: what was cut off in the middle is of no use.
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$source"/package.json "$source"/package-lock.json "$source"/.npmrc "$source"/unpack.mjs "$folder"
    # Engines: Chromium's package wants a newer Node for its own scripts, and none of them runs here.
    (cd "$folder" && npm ci --ignore-scripts --no-progress >npm.log 2>&1) ||
        fail "Chromium and axe could not be fetched (.build/browser/npm.log says why); is there a network?"
    (cd "$folder" && node unpack.mjs)
    for archive in "$folder"/*.tar; do
        .venv/bin/python -m tarfile -e "$archive" "$folder"
        rm "$archive"
    done
    # Only what went through is remembered.
    printf '%s' "$inputs" >"$folder/installed"
}

case "${1:-install}" in
install) install ;;
lock) use_node && lock_packages "$source" ;;
*) fail "install or lock" ;;
esac
