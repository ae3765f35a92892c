#!/usr/bin/env bash
# The cost of the door: what the README's first command takes from a fresh clone with nothing compiled, and start-up after it.
#
#   door.sh [COMMIT]     cold build (long) and start-up; COMMIT is HEAD by default
#   door.sh --start BIN  start-up of that binary only
#
# Crates are downloaded first and timed apart: the network is no property of ours.
set -euo pipefail
export LC_ALL=C TIMEFORMAT='%R s wall, %U s user, %S s system'
repository=$(cd "$(dirname "$0")/../.." && pwd)
room=$(mktemp -d "${TMPDIR:-/tmp}/hollandite-door.XXXXXX")
trap 'rm -rf "$room"' EXIT
# The default store is made in here, not in the data folder of whoever measures.
export XDG_DATA_HOME=$room/data
unset HOLLANDITE_STORE

# Median, minimum and maximum of 20 runs and their mean CPU time, in milliseconds, after one that fills the caches.
start_up() {
    local binary=$1 TIMEFORMAT='%U %S' begin end
    shift
    "$binary" "$@" >/dev/null
    {
        time for _ in {1..20}; do
            begin=${EPOCHREALTIME/./}
            "$binary" "$@" >/dev/null
            end=${EPOCHREALTIME/./}
            echo $((end - begin)) >>"$room/turns"
        done
    } 2>"$room/cpu"
    sort -n "$room/turns" | awk -v what="$*" -v cpu="$(tail -1 "$room/cpu")" '
        { t[NR] = $1 / 1000 }
        END {
            split(cpu, c, " ")
            printf "%-47s median %.1f ms (%.1f to %.1f), CPU %.1f ms\n",
                what, (t[NR / 2] + t[NR / 2 + 1]) / 2, t[1], t[NR], (c[1] + c[2]) * 1000 / NR
        }'
    rm "$room/turns"
}

starts() {
    echo "load $(cut -d ' ' -f 1-3 /proc/loadavg)"
    start_up "$1" --version
    start_up "$1" sql 'SELECT 1'
    start_up "$1" sql 'SELECT count(*) FROM tmo WHERE void > 0.5'
}

if [[ ${1:-} == --start ]]; then
    starts "$2"
    exit
fi

git clone --quiet "$repository" "$room/hollandite"
cd "$room/hollandite"
git checkout --quiet "${1:-$(git -C "$repository" rev-parse HEAD)}"
export CARGO_TARGET_DIR=$room/target
first=$(grep -m 1 -E '^\$ cargo run ' README.md | cut -c 3-)
echo "commit $(git rev-parse --short HEAD), $(nproc) cores, $(rustc --version), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
echo "download: $({ time cargo fetch --quiet --locked; } 2>&1 | tail -1)"
echo "\$ $first"
{ time bash -c "$first" 2>"$room/log"; } 2>"$room/time" || { cat "$room/log"; exit 1; }
echo "cold: $(tail -1 "$room/time")"
echo "again: $({ time bash -c "$first" >/dev/null 2>&1; } 2>&1)"
echo "crates compiled: $(grep -c '^ *Compiling ' "$room/log")"
binary=$CARGO_TARGET_DIR/debug/hollandite
strip -o "$room/stripped" "$binary"
echo "binary: $(du -m "$binary" | cut -f 1) MB, stripped $(du -m "$room/stripped" | cut -f 1) MB; target $(du -sm "$CARGO_TARGET_DIR" | cut -f 1) MB"
starts "$binary"
