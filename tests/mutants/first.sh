#!/usr/bin/env bash
# How cargo runs a program of tests in `make mutants`: those of the changed part first, whose name
# FIRST begins with, since they are the ones that should notice. Only if they all pass, all of them.
"$@" "$FIRST" || exit 1
exec "$@"
