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
    (cd "$peers" && npm install --package-lock-only --ignore-scripts >/dev/null && node -e '
        const fs = require("node:fs");
        const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
        for (const entry of Object.values(lock.packages)) {
            delete entry.funding;
            // For machines that a registry has nothing for, npm writes what npm ci then misses.
            for (const name of Object.keys(entry.optionalDependencies ?? {}))
                if (!lock.packages[`node_modules/${name}`]) delete entry.optionalDependencies[name];
        }
        fs.writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);')
    .uv/bin/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-header \
        --no-annotate --no-emit-index-url "$peers/requirements.in" --output-file "$peers/requirements.lock"
    ! grep -n '://' "$peers/package-lock.json" "$peers/requirements.lock" || fail "a lock names an address"
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
