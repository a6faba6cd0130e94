#!/bin/sh
# Builds the web UI into .build/web/dist (`build`), or checks its types (`check`) or tests it (`test`).
#
# A build is remembered by what went into it: where nothing changed, this takes some milliseconds.
set -eu
cd "$(dirname "$0")/.."
. tools/node.sh

root=$PWD
web=$root/gateway/web
out=$root/.build/web

fail() {
    echo "web: $*" >&2
    exit 1
}

# What the types of the API are made from, beside the UI's own files.
sum() {
    {
        find gateway/web -name node_modules -prune -o -name '*.gen.ts' -prune -o -type f -print
        find gateway/maillane_gateway/openapi gateway/maillane_gateway/transcode protos/maillane -type f ! -name '*.pyc'
        echo gateway/maillane_gateway/services.py
        echo tools/node.sh
        echo tools/web.sh
    } | LC_ALL=C sort | xargs cksum | cksum
}

with_node() {
    use_node || fail "Node could not be fetched; is there a network? Without it the API works, and the web UI is missing"
}

install() {
    locked=$(cat gateway/web/package-lock.json gateway/web/.npmrc | cksum)
    if [ ! -d "$web/node_modules" ] || [ "$(cat "$web/node_modules/.installed" 2>/dev/null)" != "$locked" ]; then
        (cd "$web" && npm ci --no-progress >"$out/npm.log" 2>&1) ||
            fail "the UI's packages could not be fetched (.build/web/npm.log says why); is there a network? The API works without them"
        printf '%s' "$locked" >"$web/node_modules/.installed"
    fi
}

types() {
    .venv/bin/python -m maillane_gateway.openapi >"$out/openapi.json"
    (cd "$web" && npm run --silent types >/dev/null)
}

build() {
    inputs=$(sum)
    if [ -f "$out/dist/index.html" ] && [ "$(cat "$out/built" 2>/dev/null)" = "$inputs" ]; then
        return
    fi
    echo "web: building the UI (the first time this takes a minute)" >&2
    with_node
    install
    types
    (cd "$web" && npm run --silent build -- --outDir "$out/next" --emptyOutDir --logLevel warn) || fail "the UI does not build"
    # The old one is served until the new one is whole.
    rm -rf "$out/dist"
    mv "$out/next" "$out/dist"
    printf '%s' "$inputs" >"$out/built"
}

mkdir -p "$out"
case "${1:-build}" in
build) build ;;
check | test)
    with_node
    install
    types
    cd "$web" && npm run --silent "$1"
    ;;
lock) with_node && lock_packages "$web" ;;
*) fail "build, check, test or lock" ;;
esac
