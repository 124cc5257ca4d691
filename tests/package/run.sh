#!/usr/bin/env bash
# run.sh [BUILD] - installs a built tree into a temporary place, then builds and runs two projects outside of it: one with
# find_package(corun), one with corun's sources as a subdirectory. Prints a line for each; what went wrong, if anything did.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../../build/default}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: shows its output only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "package: failed: $*"; exit 1; } >&2
}

cached() { sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"; }

as_built=(-G "$(cached CMAKE_GENERATOR)")
for name in CMAKE_CXX_COMPILER CMAKE_CXX_FLAGS CMAKE_BUILD_TYPE CORUN_BACKEND fmt_DIR; do
    as_built+=("-D$name=$(cached $name)")
done
export CCACHE_NOHASHDIR=1   # the trees are new each time, what they compile is not
ccache=$(cached CORUN_CCACHE)
[[ $ccache != /* ]] || as_built+=("-DCMAKE_CXX_COMPILER_LAUNCHER=$ccache")

# builds PROJECT [OPTION...]: builds it outside the sources, runs its programs, and prints what they say.
builds() {
    local project=$1 tree=$work/$1
    shift
    quietly cmake -S "$here/$project" -B "$tree" "${as_built[@]}" "$@"
    quietly cmake --build "$tree" -j "$(nproc 2>/dev/null || echo 2)"
    echo "package: $project: $("$tree/with_default"), $("$tree/by_hand"), $("$tree/embedded")"
}

quietly cmake --install "$build" --prefix "$work/installed"
not_offered=(-name '*corun_poll*' -o -name poll.hpp)
[[ $(uname) != Linux ]] || not_offered+=(-o -name '*kqueue*')   # over an emulation
if [[ -n $(find "$work/installed" "${not_offered[@]}") ]]; then
    echo "package: failed: a backend that is for tests only was installed" >&2
    exit 1
fi
builds installed "-DCMAKE_PREFIX_PATH=$work/installed"
builds subdirectory
