#!/usr/bin/env bash
# Runs the everyday tests under each supported Python that is found here: on the PATH or in pyenv's folder.
#
#     tools/pythons.sh                # all of them
#     tools/pythons.sh 3.12 3.13      # these
#     PYTEST_ADDOPTS='-k config' tools/pythons.sh
#
# Each has an environment of its own, .venv-3.12 for example (3.9 GB), which is kept for the next run.
set -uo pipefail
cd "$(dirname "$0")/.."

runs() {  # the first Python of version $1 that runs; a name on the PATH may be a shim that does not
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null && echo "$candidate" && return
    done
    return 1
}

failed=() found=0
for version in ${*:-3.11 3.12 3.13}; do
    if ! python=$(runs "$version"); then
        echo "Python $version: not found here, not tested."
        [ $# = 0 ] || failed+=("$version (not found)")  # it was asked for by name
        continue
    fi
    found=1
    echo "Python $version: $python"
    make test PYTHON="$python" VENV=".venv-$version" || failed+=("$version")
done
[ "$found" = 1 ] || { echo "No such Python was found."; exit 2; }
[ "${#failed[@]}" = 0 ] || { echo "Failed under Python ${failed[*]}."; exit 1; }
