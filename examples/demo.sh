#!/usr/bin/env bash
# demo.sh PROGRAMS - hello, then an echo server with a hundred clients of ours and a foreign one, ended by Ctrl-C.
# Loopback only; every step is bounded.
set -euo pipefail
programs=$1
source "$(dirname "$0")/server.sh"

echo "== hello: two lines, a second apart"
timeout 10 "$programs/hello"

echo "== an echo server, 100 clients at once, 64 KiB each, every byte checked"
start_server "$programs/echo_server" "listening on"
timeout 60 "$programs/echo_client" "$address" 100 64

echo "== a foreign client"
head -c 200000 /dev/urandom >"$work/sent"
if command -v nc >/dev/null && nc -h 2>&1 | grep -q -- '-N'; then
    timeout 20 nc -N "${address%:*}" "${address##*:}" <"$work/sent" >"$work/received"
    who=nc
elif command -v python3 >/dev/null; then
    timeout 20 python3 - "${address%:*}" "${address##*:}" "$work" <<'PYTHON'
import pathlib, socket, sys, threading
work = pathlib.Path(sys.argv[3])
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:
    def send():
        s.sendall((work / "sent").read_bytes())
        s.shutdown(socket.SHUT_WR)
    threading.Thread(target=send).start()
    with open(work / "received", "wb") as f:
        while data := s.recv(65536):
            f.write(data)
PYTHON
    who=python3
else
    fail "neither nc nor python3 is there"
fi
cmp "$work/sent" "$work/received" || fail "$who got back something else"
echo "$who sent 200000 bytes and got the same back"

echo "== Ctrl-C"
interrupt_server
echo "exit code $code"
[[ $code == 130 ]] || fail "128 + SIGINT was expected"
