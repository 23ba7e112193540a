#!/bin/sh
# The only entry a newcomer needs: ./do demo | test | build | lint | vm | bench | fuzz | install-deps
set -eu
cd "$(dirname "$0")"

packages="gcc clang clang-format libclang-rt-dev meson ninja-build pkg-config python3 gettext scdoc libglib2.0-dev libjson-glib-dev libxml2-dev libusb-1.0-0-dev
    libssl-dev zlib1g-dev libext2fs-dev comerr-dev e2fsprogs socat openssl
    qemu-system-x86 busybox-static cpio kmod"

say() { printf '%s\n' "do: $*" >&2; }

usage() {
    cat <<'USAGE'
./do demo          watch Medik rescue a virtual phone
./do test          everything CI runs: both builds, all tests, lint, a short fuzz
./do vm [TEST...]  a Debian kernel under QEMU, with virtual phones on its USB
./do build         build into build/ (the program is build/src/cli/medik)
./do lint          formatting, arrows between rooms, sizes, unfinished marks
./do bench         measurements, printed as ratios
./do fuzz [S]      each fuzz target for S seconds (default 30)
./do install-deps  install the Debian packages that the build needs
USAGE
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this has to be done by root: $*"
        exit 1
    fi
}

apt_update() {
    as_root apt-get update -q
}

install_deps() {
    missing=
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing:$missing"
    apt_update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# build_in DIR MESON-OPTION...
build_in() {
    dir=$1
    shift
    [ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
    ninja -C "$dir"
}

build() {
    install_deps
    build_in build
}

build_asan() {
    build_in build-asan -Db_sanitize=address,undefined -Db_lundef=false
}

build_fuzz() {
    install_deps
    dir=build-fuzz
    [ -f "$dir/build.ninja" ] || CC=clang meson setup "$dir" -Dfuzzing=true -Db_sanitize=address,undefined -Db_lundef=false
    ninja -C "$dir" fuzzers
}

# fuzz SECONDS-PER-TARGET
fuzz() {
    build_fuzz || return 1
    python3 tests/fuzz/run.py build-fuzz/tests/fuzz "$1"
}

# Kernel and tools for the virtual machine, downloaded and unpacked, not installed.
fetch_vm() {
    sh tests/vm/fetch.sh "$PWD/build/vm" && return
    apt_update
    sh tests/vm/fetch.sh "$PWD/build/vm"
}

vm() {
    build
    fetch_vm
    python3 tests/vm/run.py build "$@"
}

lint() {
    install_deps
    find src tests bench -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
    python3 tests/lint/rooms.py
}

run_tests() {
    build
    build_asan
    fetch_vm
    failed=0
    # Whole rescues mostly wait for phones: one more at a time than there are cores.
    meson test -C build --print-errorlogs --suite scenario --no-rebuild --num-processes "$(($(nproc) + 1))" || failed=1
    # Under the sanitizers: all unit tests, and one suite of whole rescues.
    meson test -C build-asan --print-errorlogs --no-rebuild --no-suite scenario || failed=1
    meson test -C build-asan --print-errorlogs --no-rebuild --logbase rescue rescue || failed=1
    lint || failed=1
    fuzz 30 || failed=1
    return $failed
}

case "${1:-}" in
demo)
    build
    exec python3 tests/scenario/demo.py build/src/cli/medik
    ;;
test) run_tests ;;
vm)
    shift
    vm "$@"
    ;;
build) build ;;
lint) lint ;;
bench)
    build
    reached=0
    python3 bench/run.py build/src/cli/medik || reached=1
    vm bench || reached=1
    exit $reached
    ;;
fuzz) fuzz "${2:-30}" ;;
install-deps) install_deps ;;
-h | --help | help) usage ;;
*)
    usage >&2
    exit 1
    ;;
esac
