#!/usr/bin/env bash
# demo.sh PROGRAMS EMBED - one process, one thread, one io_context: an HTTP server of Asio's and an echo server of corun's, both under load;
# and what corun::run says in a handler of Asio's. Loopback only; every step is bounded.
set -euo pipefail
programs=$1 embed=$2
source "$(dirname "$0")/../server.sh"

start_server "$embed/one_context" "echo on"
http_address=$(sed -n 's/^http on //p' "$work/server")
echo "== one io_context, one thread: http on $http_address by Asio, echo on $address by corun"
[[ $(ls "/proc/$server/task" 2>/dev/null | wc -l) -le 1 ]] || fail "the server has more than one thread"

echo "== both under load at once: 400 requests by curl, eight at a time; 100 echo clients, 64 KiB each, every byte checked"
seq 400 | timeout 60 xargs -P 8 -I{} curl -s --max-time 20 -o /dev/null -w '%{http_code}\n' "http://$http_address/" >"$work/codes" &
load=$!
timeout 60 "$programs/echo_client" "$address" 100 64
wait "$load" || fail "curl failed"
[[ $(grep -c '^200$' "$work/codes") == 400 ]] || fail "not every request was answered with 200"
echo "400 requests answered with 200"
curl -s --max-time 10 "http://$http_address/"

echo "== GET /run: corun::run in an Asio handler"
curl -s --max-time 10 "http://$http_address/run" | tee "$work/refusal"
grep -q 'spawn() the task onto the guest' "$work/refusal" || fail "it does not say what to do instead"

echo "== Ctrl-C"
interrupt_server
[[ $code == 0 ]] || fail "exit code $code"
