#!/usr/bin/env bash
# run.sh [BUILD] - installs a built tree into a temporary place, then builds and runs two projects outside of it: one with
# find_package(corun), and in it a plugin, one with corun's sources as a subdirectory. Prints a line for each; what went wrong, if anything did.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-$here/../../build/default}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: shows its output only if it fails.
quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "package: failed: $*"; exit 1; } >&2
}

fails() { echo "package: failed: $*" >&2; exit 1; }

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
    fails "a backend that is for tests only was installed"
fi
[[ -n $(find "$work/installed/share" -name LICENSE) ]] || fails "the licence was not installed"
if grep -nE '[";:]/[^"]' "$work"/installed/lib*/cmake/corun/corun-targets*.cmake "$work"/installed/lib/*/cmake/corun/corun-targets*.cmake 2>/dev/null; then
    fails "the package names a place of this machine"
fi

mv "$work/installed" "$work/moved"   # nothing depends on where it was installed
builds installed "-DCMAKE_PREFIX_PATH=$work/moved"
expect() { [[ $2 == "$3" ]] || fails "$1: expected was: $3; but found: $2"; }
plugin=$(find "$work/installed" -name 'libplugin.*' -type f | head -n 1)
expect "a plugin" "$("$work/installed/loads_plugin" "$plugin")" "a plugin gave 42"
expect "a nested run" "$("$work/installed/runs_plugin" "$plugin")" "corun::run() cannot be called from a running event loop; co_await the task, or spawn() it
afterwards the plugin gave 42"
echo "package: plugin: answers, and a nested run is refused across it"

if cmake -S "$here/component" -B "$work/component" "${as_built[@]}" "-DCMAKE_PREFIX_PATH=$work/moved" >"$work/log" 2>&1 || ! grep -q nonsense "$work/log"; then
    cat "$work/log" >&2
    fails "a component that does not exist was not refused by name"
fi
if command -v pkg-config >/dev/null; then
    pc=$(find "$work/moved" -name corun.pc)
    export PKG_CONFIG_PATH=${pc%/*}
    read -ra flags <<<"$(pkg-config --cflags --libs corun)"
    quietly "$(cached CMAKE_CXX_COMPILER)" -std=c++20 "$here/with_default.cpp" -o "$work/by_pkg_config" "${flags[@]}"
    echo "package: pkg-config: $("$work/by_pkg_config")"
fi
builds subdirectory
