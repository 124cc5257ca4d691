#!/usr/bin/env bash
# debian13.sh - compiles corun in a root of Debian 13, whose compilers, libraries and CMake are newer than this machine's, and runs what it
# built. Warnings are errors, CMake's too. By g++ 14: library, every backend and adapter, examples; with CORUN_DEBIAN13_SUITE=1 the conformance tests, too, with Catch2 3.
# By Clang 19 with libc++: library, every backend and adapter, as part of another project.
#
# The root is made by debootstrap in CORUN_DEBIAN13 (~/.cache/corun/debian13) and used again; objects stay in CORUN_DEBIAN13_TREE
# (build/debian13), and the compiler cache is this machine's. Mounts last as long as the script does. Where it can't be done (no root, no
# debootstrap, mounting refused, no network for the first time) a line says which, and the exit code is 77.
set -euo pipefail
cd "$(dirname "$0")/../.."

root=${CORUN_DEBIAN13:-${XDG_CACHE_HOME:-$HOME/.cache}/corun/debian13}
tree=$(realpath -m "${CORUN_DEBIAN13_TREE:-build/debian13}")
packages=(g++ clang-19 libc++-19-dev libc++abi-19-dev cmake ninja-build ccache mold pkgconf
    catch2 libfmt-dev nlohmann-json3-dev libcli11-dev liburing-dev libuv1-dev libasio-dev libglib2.0-dev)

skip() {
    echo "debian13.sh: skipped: $*"
    exit 77
}

((EUID == 0)) || skip "a root of another system is made and entered by root only"
command -v apt-get >/dev/null || skip "the mirror is this machine's, and it has no apt"
command -v debootstrap >/dev/null ||
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends debootstrap; } >/dev/null 2>&1 || skip "debootstrap can't be installed"
unshare --mount mount -t tmpfs none /mnt 2>/dev/null || skip "mounting is refused here"

# One at a time: two work trees may share the root.
mkdir -p "${root%/*}" "$tree"
exec 9>"$root.lock"
flock 9

if [[ $(cat "$root/packages" 2>/dev/null) != "${packages[*]}" ]]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    rm -rf --one-file-system "$root"
    timeout 900 debootstrap --variant=minbase trixie "$root" ${mirror:+"$mirror"} >"$tree/root.log" 2>&1 &&
        timeout 900 chroot "$root" sh -c "export DEBIAN_FRONTEND=noninteractive
            apt-get -qq update && apt-get -qq install -y --no-install-recommends ${packages[*]} && apt-get clean" >>"$tree/root.log" 2>&1 ||
        { tail -n 20 "$tree/root.log"; skip "the root could not be made (no network?); $tree/root.log tells more"; }
    echo "${packages[*]}" >"$root/packages"
fi

cache=${CCACHE_DIR:-$(ccache --get-config cache_dir 2>/dev/null || echo "$tree/ccache")}
mkdir -p "$cache" "$root"/{src,tree,ccache}
export root tree cache
timeout 2400 unshare --mount --propagation private bash -euo pipefail -c '
    mount -t proc proc "$root/proc"
    mount --bind "$PWD" "$root/src"
    mount -o remount,bind,ro "$root/src"
    mount --bind "$tree" "$root/tree"
    mount --bind "$cache" "$root/ccache"
    exec chroot "$root" bash -euo pipefail' <<'INSIDE'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CCACHE_DIR=/ccache CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1
unset CCACHE_CONFIGPATH
backends='epoll;io_uring;libuv;asio;sim'

# configure SOURCE TREE OPTION...: warnings of CMake are errors, the outdated kind too.
configure() {
    cmake -G Ninja -S "$1" -B "$2" -Werror=dev -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCORUN_WERROR=ON \
        "-DCORUN_BACKENDS=$backends" "${@:3}"
}
# expect WHAT TEXT COMMAND...
expect() {
    local said
    said=$(timeout 60 "${@:3}")
    [[ $said == "$2" ]] || { echo "debian13.sh: $1 said: $said"; exit 1; }
}

configure /src /tree/g++ -DCMAKE_CXX_COMPILER=g++-14 -DCMAKE_CXX_FLAGS=-g0 -DCORUN_TESTS=ON -DCORUN_BENCH=OFF \
    -DCORUN_KQUEUE_EMULATION=ON -DCORUN_EXTRA_BACKENDS=/src/examples/own_backend/poll "-DCORUN_TEST_OPTIONS=-g0"
ninja -C /tree/g++ -k 0 corun examples/all adapters/all backends/all ${CORUN_DEBIAN13_SUITE:+conformance}
expect "hello by g++ 14" $'Hello!\nHow are you?' /tree/g++/examples/hello
echo "debian13.sh: $(g++-14 --version | head -n 1), $(cmake --version | head -n 1): library and examples compile, hello runs"

configure /src/tests/package/subdirectory /tree/clang++ -DCMAKE_CXX_COMPILER=clang++-19 "-DCMAKE_CXX_FLAGS=-g0 -stdlib=libc++"
ninja -C /tree/clang++ -k 0
expect "a program by Clang with libc++" "corun::corun runs on epoll" /tree/clang++/with_default
expect "a program by Clang with libc++" "a guest gave 7" /tree/clang++/embedded
echo "debian13.sh: $(clang++-19 --version | head -n 1) with libc++: library compiles and runs"
INSIDE
