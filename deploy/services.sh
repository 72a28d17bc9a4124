#!/usr/bin/env bash
# RabbitMQ and MariaDB for development and tests, apart from any that the system itself runs.
#   up                start both, after installing what is missing; done in a second when they run
#   env               how to reach those that run: eval "$(deploy/services.sh env)"
#   status            what runs, and where
#   down [--purge]    stop both; --purge also deletes their data and passwords
#   start|stop|kill|pause|resume rabbitmq|mariadb   one of them, for tests of faults (kill is SIGKILL)
#   rabbitmqctl …     RabbitMQ's own tool, speaking to our node
# A server that YTRAG_TEST_BROKER_URL with YTRAG_TEST_BROKER_MANAGEMENT_URL, or YTRAG_TEST_DATABASE_URL names is used
# as it is. Otherwise containers where a Docker engine answers, else Debian's packages as processes of this user.
#   YTRAG_SERVICES_MODE=native|docker   choose between the two
#   YTRAG_SERVICES_PORT_OFFSET=100      added to every port; without it the first of 0, 100 … 900 whose ports are free
# Exit code 69: there is no such server here, and none can be had without somebody's doing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ROOT=$(pwd -P)
VAR=$ROOT/var/services
SERVERS=(rabbitmq mariadb)
PATIENCE_S=60
UNAVAILABLE=69
PATH=$PATH:/usr/sbin:/sbin  # where Debian has the servers, and a plain user's PATH does not

fail() {
    echo "services: $*" >&2
    exit 1
}

# recall SERVER: MODE, OFFSET and PASSWORD of its last start, or empty ones.
recall() {
    MODE='' OFFSET='' PASSWORD=''
    if [ -e "$VAR/$1.env" ]; then
        [ -r "$VAR/$1.env" ] || fail "$VAR belongs to another user, $(stat -c %U "$VAR/$1.env"): act as that one."
        # shellcheck source=/dev/null  # written by remember()
        . "$VAR/$1.env"
    fi
}

remember() {
    (umask 077 && printf 'MODE=%s\nOFFSET=%s\nPASSWORD=%s\n' "$MODE" "$OFFSET" "$PASSWORD" >"$VAR/$1.env")
}

answers() {  # answers HOST PORT: whether something listens there
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# given SERVER: the URL of a server that is not ours; one of ours may stand in the environment by `eval`.
given() {
    local url
    case $1 in
        rabbitmq) url=${YTRAG_TEST_BROKER_URL:-} ;;
        mariadb) url=${YTRAG_TEST_DATABASE_URL:-} ;;
    esac
    if [ -n "$url" ] && { [ -z "$PASSWORD" ] || [[ $url != *":$PASSWORD@"* ]]; }; then
        echo "$url"
    fi
}

check_given() {  # check_given SERVER URL
    local address=${2##*@} port=3306
    address=${address#*://}
    address=${address%%[/?]*}
    if [ "$1" = rabbitmq ]; then
        port=5672
        [ -n "${YTRAG_TEST_BROKER_MANAGEMENT_URL:-}" ] ||
            fail "YTRAG_TEST_BROKER_URL is set: YTRAG_TEST_BROKER_MANAGEMENT_URL must name the same server's management."
    fi
    [[ $address != *:* ]] || port=${address##*:}
    answers "${address%:*}" "$port" || fail "nothing answers at $address, which YTRAG_TEST_… names for $1."
    echo "  $1 is yours, at $address"
}

choose_mode() {
    MODE=${YTRAG_SERVICES_MODE:-$MODE}
    if [ "$MODE" != native ] && command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1; then
        MODE=docker
    else
        [ "${YTRAG_SERVICES_MODE:-native}" = native ] ||
            fail "YTRAG_SERVICES_MODE is '$YTRAG_SERVICES_MODE', but no Docker engine answers; it may be native."
        MODE=native
    fi
}

ports_are_free() {  # ports_are_free SERVER OFFSET
    local port
    for port in $("$1_ports"); do
        ! answers 127.0.0.1 $((port + $2)) || return 1
    done
}

choose_ports() {
    local offset
    for offset in ${YTRAG_SERVICES_PORT_OFFSET:-$OFFSET 0 100 200 300 400 500 600 700 800 900}; do
        if ports_are_free "$1" "$offset"; then
            OFFSET=$offset
            return
        fi
    done
    fail "$1 needs free ports; taken is one of $("$1_ports" | paste -sd, | sed 's/,/, /g')" \
        "and of those ${YTRAG_SERVICES_PORT_OFFSET:-100 … 900} above; set YTRAG_SERVICES_PORT_OFFSET to another number."
}

# begin SERVER: start it unless it runs; follow with await.
begin() {
    if [ -n "$MODE" ] && "${MODE}_runs" "$1"; then
        "${MODE}_signal" "$1" CONT  # it may have been left paused
        return
    fi
    mkdir -p "$VAR"
    [ -w "$VAR" ] || fail "$VAR belongs to another user, $(stat -c %U "$VAR"): act as that one, or delete it."
    choose_mode
    [ "$MODE" != native ] || native_install
    [ "$MODE" != native ] || native_clear "$1"
    choose_ports "$1"
    PASSWORD=${PASSWORD:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
    remember "$1"
    "$1_$MODE"
}

await() {
    local deadline=$((SECONDS + PATIENCE_S)) why=''
    until "$1_ready" >/dev/null 2>&1; do
        "${MODE}_runs" "$1" || why="$1 ended while it started"
        [ "$SECONDS" -lt "$deadline" ] || why="$1 does not answer after $PATIENCE_S s"
        if [ -n "$why" ]; then
            "${MODE}_log" "$1" | tail -n 20 >&2
            fail "$why; above is the end of its log ($VAR/$1.log)."
        fi
        sleep 0.1
    done
}

up() {
    local server url
    for server in "${SERVERS[@]}"; do
        recall "$server"
        url=$(given "$server")
        [ -n "$url" ] || begin "$server"
    done
    for server in "${SERVERS[@]}"; do
        recall "$server"
        url=$(given "$server")
        if [ -n "$url" ]; then
            check_given "$server" "$url"
        else
            await "$server"
            echo "  $server runs ($MODE): $("$server"_url | sed 's/:[^:@]*@/:…@/')"
        fi
    done
    echo "  whole URLs, with passwords: deploy/services.sh env"
}

print_env() {
    local server url
    for server in "${SERVERS[@]}"; do
        recall "$server"
        url=$(given "$server")
        if [ -z "$url" ] && [ -n "$MODE" ] && "${MODE}_runs" "$server"; then
            "${server}_env"
        fi
    done
}

status() {
    local server url
    for server in "${SERVERS[@]}"; do
        recall "$server"
        url=$(given "$server")
        if [ -n "$url" ]; then
            check_given "$server" "$url"
        elif [ -z "$MODE" ] || ! "${MODE}_runs" "$server"; then
            echo "  $server does not run"
        elif "${server}_ready" >/dev/null 2>&1; then
            echo "  $server runs ($("${MODE}_describe" "$server")): $("$server"_url | sed 's/:[^:@]*@/:…@/')"
        else
            echo "  $server runs ($("${MODE}_describe" "$server")) but does not answer"
        fi
    done
}

down() {
    local server
    for server in "${SERVERS[@]}"; do
        recall "$server"
        if [ -n "$MODE" ]; then
            one stop "$server"
            [ "${1:-}" != --purge ] || "${MODE}_purge" "$server"
        fi
    done
}

# one start|stop|kill|pause|resume SERVER
one() {
    recall "$2"
    [ -z "$(given "$2")" ] || { echo "services: $2 is not ours to $1." >&2 && exit $UNAVAILABLE; }
    case $1 in
        start) begin "$2" && await "$2" ;;
        stop | kill) [ -z "$MODE" ] || "${MODE}_$1" "$2" ;;
        pause) "${MODE}_signal" "$2" STOP ;;
        resume) "${MODE}_signal" "$2" CONT ;;
    esac
}

. deploy/services/native.sh
. deploy/services/docker.sh
. deploy/rabbitmq/service.sh
. deploy/mysql/service.sh

mkdir -p "$VAR"
case "${1:-} ${2:-}" in
    "env " | "status ") ;;
    rabbitmqctl\ *) ;;
    *) exec 9>"$VAR/lock" && flock 9 ;;  # two at once would start two; servers do not inherit it (9>&-)
esac
