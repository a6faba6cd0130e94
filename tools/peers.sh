#!/bin/sh
# Sets up what Maillane is measured beside (tests/bench/peers): BullMQ and nodemailer for Node, arq and procrastinate in an
# environment of their own. `lock` writes their locks anew, with hashes and without addresses.
set -eu
cd "$(dirname "$0")/.."
. tools/node.sh

root=$PWD
peers=$root/tests/bench/peers
venv=$root/.build/peers

fail() {
    echo "bench-peers: $*" >&2
    exit 1
}

lock() {
    lock_packages "$peers" || fail "a lock names an address, or could not be written"
    .uv/bin/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-header \
        --no-annotate --no-emit-index-url "$peers/requirements.in" --output-file "$peers/requirements.lock"
    ! grep -n '://' "$peers/requirements.lock" || fail "a lock names an address"
}

install() {
    (cd "$peers" && npm ci --no-progress --ignore-scripts >/dev/null) || fail "npm ci failed; is there a network?"
    [ -x "$venv/bin/python" ] || .uv/bin/uv venv --quiet --python .venv/bin/python "$venv"
    .uv/bin/uv pip sync --quiet --python "$venv/bin/python" --require-hashes "$peers/requirements.lock"
}

mkdir -p "$root/.build"
use_node || fail "Node could not be fetched; is there a network?"
case "${1:-install}" in
install) install ;;
lock) lock ;;
*) fail "install or lock" ;;
esac
