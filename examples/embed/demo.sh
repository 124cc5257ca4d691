#!/usr/bin/env bash
# demo.sh PROGRAMS EMBED - one process, one thread, one io_context: an HTTP server of Asio's and an echo server of corun's, both under load;
# and what corun::run says in a handler of Asio's. Loopback only; every step is bounded.
set -euo pipefail
programs=$1 embed=$2
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "demo: $*" >&2
    exit 1
}

default_signal=()
! env --default-signal=INT true 2>/dev/null || default_signal=(env --default-signal=INT)
set -m
"${default_signal[@]}" "$embed/one_context" >"$work/server" 2>&1 &
server=$!
set +m
for _ in $(seq 100); do
    echo_address=$(sed -n 's/^echo on //p' "$work/server")
    [[ -n $echo_address ]] && break
    sleep 0.05
done
[[ -n $echo_address ]] || fail "the server does not listen: $(cat "$work/server")"
http_address=$(sed -n 's/^http on //p' "$work/server")
echo "== one io_context, one thread: http on $http_address by Asio, echo on $echo_address by corun"
[[ $(ls "/proc/$server/task" 2>/dev/null | wc -l) -le 1 ]] || fail "the server has more than one thread"

echo "== both under load at once: 400 requests by curl, eight at a time; 100 echo clients, 64 KiB each, every byte checked"
seq 400 | timeout 60 xargs -P 8 -I{} curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' "http://$http_address/" >"$work/codes" &
load=$!
timeout 60 "$programs/echo_client" "$echo_address" 100 64
wait "$load" || fail "curl failed"
[[ $(grep -c '^200$' "$work/codes") == 400 ]] || fail "not every request was answered with 200"
echo "400 requests answered with 200"
curl -s --max-time 10 "http://$http_address/"

echo "== GET /run: corun::run in an Asio handler"
curl -s --max-time 10 "http://$http_address/run" | tee "$work/refusal"
grep -q 'spawn() the task onto the guest' "$work/refusal" || fail "it does not say what to do instead"

echo "== Ctrl-C"
kill -INT "$server"
for _ in $(seq 200); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
! kill -0 "$server" 2>/dev/null || kill -KILL "$server"
code=0
wait "$server" || code=$?
server=
tail -n 1 "$work/server"
[[ $code == 0 ]] || fail "exit code $code"
