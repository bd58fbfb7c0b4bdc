#!/bin/sh
# Lock the dependencies again: hashes for every platform, no address of a registry. Run it after a change
# to pyproject.toml, with `uv` on PATH (it is in .drdrill/venv after the first ./drdrill).
set -eu
cd "$(dirname "$0")/.."
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
    --no-header --extra mirror --extra system --group build --group dev "$@" pyproject.toml --output-file requirements/lock.txt
printf 'uv\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --no-header "$@" - --output-file requirements/uv.txt
