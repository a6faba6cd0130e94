#!/bin/sh
# Makes .uv (a pinned uv) and .venv (every locked dependency, and the members of this repository, editable).
#
# Does nothing, in a few milliseconds, while nothing that it depends on has changed. Every package is installed by the
# hash that the lock names; the members build offline, because uv carries their build back-end.
set -eu
cd "$(dirname "$0")/.."

members="protos/python services/chassis services/redis_cluster services/scheduler services/ratelimit services/sender"
members="$members gateway deploy/local"

fail() {
    echo "bootstrap: $*" >&2
    exit 1
}

new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    asked=${PYTHON:-python3}
    found="no $asked"
    if command -v "$asked" >/dev/null 2>&1; then
        found=$("$asked" --version 2>&1 | head -n 1)
    fi
    fail "Maillane needs Python 3.11 or newer; found: $found. Install one, or name it: make PYTHON=/path/to/python3"
fi

stamp=.venv/.bootstrapped
inputs="tools/bootstrap.sh tools/uv.txt requirements.lock"
for member in $members; do
    inputs="$inputs $member/pyproject.toml"
done
# shellcheck disable=SC2086 # a list of words on purpose
wanted="$("$python" -c 'import sys; print(sys.version.split()[0], sys.prefix)') $PWD $(cat $inputs | cksum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi

echo "bootstrap: setting up .venv with $("$python" --version)" >&2
if [ ! -x .uv/bin/uv ] || ! .uv/bin/uv --version | grep -qF "uv $(sed -n 's/^uv==\([^ ]*\).*/\1/p' tools/uv.txt) "; then
    "$python" -m pip --version >/dev/null 2>&1 || fail "this Python has no pip; install it (on Debian: apt-get install python3-pip)"
    # Quiet twice: errors stay, and warnings go, which are about folders of pip's own and worry who sees them first.
    PIP_ROOT_USER_ACTION=ignore "$python" -m pip install --quiet --quiet --disable-pip-version-check --upgrade \
        --require-hashes --target .uv -r tools/uv.txt ||
        fail "uv could not be installed; is there a network?"
fi

uv="$PWD/.uv/bin/uv"
"$uv" venv --quiet --allow-existing --no-python-downloads --python "$python" .venv
# The members stay out of the lock, and a sync removes what is not in it: hence install afterwards, never between.
# Compiled once here: a service starts three times as fast where Python may not write bytecode by itself.
"$uv" pip sync --quiet --compile-bytecode --require-hashes requirements.lock
editable=""
for member in $members; do
    editable="$editable -e $member"
done
# shellcheck disable=SC2086 # a list of words on purpose
"$uv" pip install --quiet --offline --no-deps $editable

# Only a setup that went through is remembered.
printf '%s' "$wanted" >"$stamp"
