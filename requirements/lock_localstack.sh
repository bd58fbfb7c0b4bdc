#!/bin/sh
# Lock LocalStack's environment again, for the tests that run the contract of delegated services on it: PINS is the
# `requirements-runtime.txt` of its source release (newer dependencies keep it from starting). No address of a registry.
set -eu
pins=${1:?usage: lock_localstack.sh PINS [OPTIONS OF uv]}
shift
cd "$(dirname "$0")/.."
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
sed -e 's/\[[a-z,]*\]//' -e '/^ *#/d' "$pins" >"$constraints"
printf 'localstack-core[runtime]==4.13.1\n' | uv pip compile --quiet --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header --constraint "$constraints" "$@" - \
    --output-file requirements/localstack.txt
