# server.sh - for demos, sourced: a server in the background that is ended by Ctrl-C, and never outlives the script.
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "demo: $*" >&2
    exit 1
}

# start_server PROGRAM LINE: its output goes to $work/server; sets address to what follows LINE there.
start_server() {
    : >"$work/server"
    # A shell without job control starts background programs with SIGINT ignored, and corun leaves what is ignored alone.
    local default_signal=()
    ! env --default-signal=INT true 2>/dev/null || default_signal=(env --default-signal=INT)
    set -m
    "${default_signal[@]}" "$1" >"$work/server" 2>&1 &
    server=$!
    set +m
    for _ in $(seq 100); do
        address=$(sed -n "s/^$2 //p" "$work/server")
        [[ -n $address ]] && return
        sleep 0.05
    done
    fail "the server does not listen: $(cat "$work/server")"
}

# interrupt_server: Ctrl-C; prints the last line it said, sets code to what it exits with.
interrupt_server() {
    kill -INT "$server"
    # Bounded without a subshell: one that is ended as it begins would run this script's trap.
    for _ in $(seq 200); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    ! kill -0 "$server" 2>/dev/null || kill -KILL "$server"   # whoever is deaf gets another exit code
    code=0
    wait "$server" || code=$?
    server=
    tail -n 1 "$work/server"
}
