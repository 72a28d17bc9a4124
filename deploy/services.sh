#!/usr/bin/env bash
# RabbitMQ and MariaDB for development and tests, apart from any that the system itself runs.
#   up                start both, after installing what is missing; done in a second when they run
#   env               how to reach those that run: eval "$(deploy/services.sh env)"
#   status            what runs, and where
#   down [--now|--purge]  stop both; --now kills them, --purge also deletes their data and passwords
#   start|stop|kill|pause|resume rabbitmq|mariadb   one of them, for tests of faults (kill is SIGKILL)
#   rabbitmqctl …     RabbitMQ's own tool, speaking to our node
#   tools             install Prometheus and Alertmanager where they are missing; whoever needs them starts them
# A server that YTRAG_TEST_BROKER_URL and YTRAG_TEST_BROKER_MANAGEMENT_URL, or YTRAG_TEST_DATABASE_URL name is used
# as it is. Otherwise containers where a Docker engine answers, else Debian's packages as processes of their own.
#   YTRAG_SERVICES_MODE=native|docker   choose between the two
#   YTRAG_SERVICES_PORT_OFFSET=100      added to every port; without it the first of 0, 100 … 1900 whose ports are free
#   YTRAG_SERVICES_SET=gw1              servers of another set, with data of their own: tests that run side by side
# Exit code 69: there is no such server here, and none can be had without somebody's doing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VAR=$(pwd -P)/var/services${YTRAG_SERVICES_SET:+-$YTRAG_SERVICES_SET}
SERVERS=(rabbitmq mariadb)
PATIENCE_S=60
UNAVAILABLE=69
ACTION=${1:-}

. deploy/services/docker.sh
. deploy/services/native.sh
. deploy/services/rabbitmq.sh
. deploy/services/mariadb.sh

fail() {
    echo "services: $*" >&2
    exit 1
}

# recall SERVER: MODE, OFFSET and PASSWORD of its last start, or empty ones.
recall() {
    MODE='' OFFSET='' PASSWORD=''
    if [ -e "$VAR/$1.env" ]; then
        [ -r "$VAR/$1.env" ] || fail "$VAR belongs to another user; act as that one, or use another checkout."
        # shellcheck source=/dev/null  # written by remember
        . "$VAR/$1.env"
    fi
}

remember() {
    (umask 077 && printf 'MODE=%s\nOFFSET=%s\nPASSWORD=%s\n' "$MODE" "$OFFSET" "$PASSWORD" >"$VAR/$1.env")
}

answers() {  # answers HOST PORT
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# given SERVER: the URL of a server that the user names; one of ours may stand in the environment after `eval`.
given() {
    local url=${YTRAG_TEST_BROKER_URL:-}
    [ "$1" = rabbitmq ] || url=${YTRAG_TEST_DATABASE_URL:-}
    [ -n "$PASSWORD" ] && [[ $url == *":$PASSWORD@"* ]] || echo "$url"
}

check_given() {  # check_given SERVER URL
    local address=${2##*@} port=3306
    address=${address#*://} address=${address%%[/?]*}
    if [ "$1" = rabbitmq ]; then
        port=5672
        [ -n "${YTRAG_TEST_BROKER_MANAGEMENT_URL:-}" ] ||
            fail "YTRAG_TEST_BROKER_MANAGEMENT_URL must go with YTRAG_TEST_BROKER_URL: tests make virtual hosts there."
    fi
    [[ $address != *:* ]] || port=${address##*:}
    answers "${address%:*}" "$port" ||
        fail "nothing answers at $address, which YTRAG_TEST_… in the environment names for $1; start it, or unset that."
    echo "  $1: the environment's, at $address"
}

choose_mode() {
    MODE=${YTRAG_SERVICES_MODE:-${MODE:-docker}}
    case $MODE in
        native) ;;
        docker) docker_answers || MODE=native ;;
        *) fail "YTRAG_SERVICES_MODE is '$MODE'; it may be native or docker." ;;
    esac
    [ "$MODE" = "${YTRAG_SERVICES_MODE:-$MODE}" ] || fail "YTRAG_SERVICES_MODE is docker, but no engine answers."
}

ports_are_free() {  # ports_are_free SERVER OFFSET
    local port
    for port in $("$1_ports"); do
        ! answers 127.0.0.1 $((port + $2)) || return 1
    done
}

choose_ports() {
    local offset offsets="${YTRAG_SERVICES_PORT_OFFSET:-$OFFSET $(seq -s ' ' 0 100 1900)}"
    [ "$ACTION" != start ] || offsets=${OFFSET:-$offsets}  # who stopped it knows it by its URL
    for offset in $offsets; do
        OFFSET=$offset
        ! ports_are_free "$1" "$offset" || return 0
    done
    fail "$1 finds one of its ports taken ($("$1_ports"), each plus $OFFSET);" \
        "set YTRAG_SERVICES_PORT_OFFSET to another number."
}

runs() {
    [ -n "$MODE" ] && "${MODE}_runs" "$1"
}

# begin SERVER: start it unless it runs; await tells when it is ready.
begin() {
    if runs "$1"; then
        "${MODE}_signal" "$1" CONT              # it may have been left paused,
        "$1_ready" >/dev/null 2>&1 || sleep 0.5  # or be on its way out, killed a moment ago
        ! runs "$1" || return 0
    fi
    choose_mode
    "${MODE}_prepare" "$1"
    choose_ports "$1"
    PASSWORD=${PASSWORD:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
    remember "$1"
    [ "$ACTION" != up ] || echo "  starting $1 ($MODE)"
    "$1_$MODE"
}

await() {
    local deadline=$((SECONDS + PATIENCE_S)) why=''
    until "$1_ready" >/dev/null 2>&1; do
        runs "$1" || why="$1 ended while it started"
        [ "$SECONDS" -lt "$deadline" ] || why="$1 does not answer within $PATIENCE_S s"
        if [ -n "$why" ]; then
            "${MODE}_log" "$1" | tail -n 20 >&2
            fail "$why; above is the end of its log."
        fi
        sleep 0.1
    done
}

describe() {
    echo "  $1 runs ($("${MODE}_describe" "$1")) at $("$1_urls" | sed -E '1!d; s/^[^=]*=//; s/:[^:@]*@/:…@/')"
}

each() {  # each ACTION: for every server; those that the user names are only looked at
    local server url
    for server in "${SERVERS[@]}"; do
        recall "$server"
        url=$(given "$server")
        "$1" "$server" "$url"
    done
}

begin_ours() {
    [ -n "$2" ] || begin "$1"
}

await_any() {
    if [ -n "$2" ]; then
        check_given "$1" "$2"
    else
        await "$1"
        describe "$1"
    fi
}

print_urls() {
    if [ -z "$2" ] && runs "$1"; then
        "$1_urls" | sed 's/^/export /'
    fi
}

status_of() {
    if [ -n "$2" ]; then
        check_given "$1" "$2"
    elif ! runs "$1"; then
        echo "  $1 does not run"
    elif "$1_ready" >/dev/null 2>&1; then
        describe "$1"
    else
        echo "  $1 runs ($("${MODE}_describe" "$1")) but does not answer"
    fi
}

stop_ours() {
    [ -n "$MODE" ] || return 0
    "${MODE}_stop" "$1"
    echo "  $1 is stopped"
}

kill_ours() {
    [ -z "$MODE" ] || slay "$1"
    stop_ours "$1"
}

slay() {
    "${MODE:-native}_signal" "$1" KILL
    while runs "$1"; do sleep 0.05; done
}

purge_ours() {
    stop_ours "$1"
    [ -z "$MODE" ] || "${MODE}_purge" "$1"
}

# control start|stop|kill|pause|resume SERVER
control() {
    [[ " ${SERVERS[*]} " == *" $2 "* ]] || fail "'$2' is no server; it may be one of: ${SERVERS[*]}."
    recall "$2"
    if [ -n "$(given "$2")" ]; then
        echo "services: $2 is the environment's, not ours to $1." >&2
        exit $UNAVAILABLE
    fi
    case $1 in
        start)
            begin "$2"
            await "$2"
            ;;
        stop) "${MODE:-native}_stop" "$2" ;;
        kill) slay "$2" ;;
        pause) "${MODE:-native}_signal" "$2" STOP ;;
        resume) "${MODE:-native}_signal" "$2" CONT ;;
    esac
}

# Two at once would start two of each. Servers do not inherit the lock: they are started with 9>&-.
alone() {  # alone [FILE]: of this set, or of all who take the file
    if ! mkdir -p "$VAR" || ! [ -w "$VAR" ]; then fail "this user may not write into $VAR."; fi
    exec 9>"${1:-$VAR/lock}"
    ! command -v flock >/dev/null || flock 9
}

usage() {
    sed -n '2,/^set /{s/^# \{0,1\}//p;}' deploy/services.sh >&2
    exit 2
}

case $ACTION in
    up)
        alone var/services.lock  # or two sets would find the same ports free
        each begin_ours
        each await_any
        echo '  with passwords: deploy/services.sh env'
        ;;
    env) each print_urls ;;
    status) each status_of ;;
    down)
        alone
        case "${2:-}" in
            '') each stop_ours ;;
            --now) each kill_ours ;;
            --purge) each purge_ours ;;
            *) usage ;;
        esac
        ;;
    start | stop | kill | pause | resume)
        alone
        control "$1" "${2:-}"
        ;;
    rabbitmqctl)
        recall rabbitmq
        "${MODE:-native}_rabbitmqctl" "${@:2}"
        ;;
    tools)
        alone var/services.lock  # or two sets would install at once
        native_tools
        ;;
    *) usage ;;
esac
