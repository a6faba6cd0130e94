#!/bin/sh
# Writes requirements.lock: every dependency of every member and of development, with hashes and without an address.
#
# uv.lock names the registry that was asked, so it stays out of the repository and is only the way to the export.
set -eu
cd "$(dirname "$0")/.."

.uv/bin/uv lock --quiet "$@"
.uv/bin/uv export --quiet --frozen --all-packages --no-emit-workspace --no-header --format requirements-txt \
    --output-file requirements.lock
if grep -n '://' requirements.lock; then
    echo "lock: requirements.lock names an address" >&2
    exit 1
fi
