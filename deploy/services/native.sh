# Servers as plain processes on loopback, of Debian's packages; read by ../services.sh.
# In $VAR each has a folder, a pid file ("pid start-time") and a log.

PACKAGES=(rabbitmq-server mariadb-server-core mariadb-client)
TOOLS=(prometheus prometheus-alertmanager squid caddy iproute2)  # tests run them with our configuration
UNITS=(rabbitmq-server.service epmd.service epmd.socket prometheus.service prometheus-alertmanager.service squid.service caddy.service)
PATH=$PATH:/usr/lib/rabbitmq/bin:/usr/sbin:/sbin  # a plain user's PATH lacks them
DROP=()  # what runs a command as the server's account
STOP_S=30

# born PID: when it started, in ticks since boot; fails for one that has ended. The pid alone may be another's by now.
born() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
    read -ra stat <<<"${stat##*) }"  # the name before it may hold spaces
    # A killed one is a zombie at once, but holds its ports until its last thread has gone.
    [ "${stat[0]}" != Z ] || [ "${stat[17]}" -gt 1 ] || return
    echo "${stat[19]}"
}

pid_of() {
    local pid start
    read -r pid start 2>/dev/null <"$VAR/$1.pid" && [ "$(born "$pid")" = "$start" ] && echo "$pid"
}

native_runs() {
    pid_of "$1" >/dev/null
}

native_signal() {
    local pid
    ! pid=$(pid_of "$1") || kill -s "$2" "$pid"
}

native_log() {
    cat "$VAR/$1.log"
}

native_describe() {
    local pid
    ! pid=$(pid_of "$1") || echo "pid $pid, $(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status") MB"
}

native_stop() {
    local deadline=$((SECONDS + STOP_S))
    native_signal "$1" CONT
    native_signal "$1" TERM
    while native_runs "$1"; do
        [ "$SECONDS" -lt "$deadline" ] || native_signal "$1" KILL
        sleep 0.05
    done
    rm -f "$VAR/$1.pid"
    [ "$1" != rabbitmq ] || native_stop epmd
}

native_purge() {
    rm -rf "${VAR:?}/$1" "$VAR/$1".*
    [ "$1" != rabbitmq ] || rm -f "$VAR"/epmd.*
}

# launch NAME command…: in the background with nothing of this shell's environment, so that no setting leaks in.
launch() {
    local name=$1 pid
    shift
    [ ! -e "$VAR/$name.log" ] || mv "$VAR/$name.log" "$VAR/$name.log.1"
    (cd / && exec setsid "${DROP[@]}" env -i "PATH=$PATH" LC_ALL=C.UTF-8 "$@") \
        >"$VAR/$name.log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid $(born "$pid")" >"$VAR/$name.pid"
}

# native_prepare SERVER: packages, the account, its folder, and nothing left of a run that was killed.
native_prepare() {
    local missing=()
    command -v rabbitmq-server >/dev/null || missing+=(rabbitmq-server)
    command -v mariadbd >/dev/null || missing+=(mariadb-server-core)
    command -v mariadb-dump >/dev/null || missing+=(mariadb-client)
    [ ${#missing[@]} = 0 ] || install "${missing[@]}"
    native_stop "$1"
    mkdir -p "$VAR/$1"
    # Neither server likes to be root. The account cannot be used where it may not enter the folders above.
    if [ "$(id -u)" = 0 ]; then
        DROP=(setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups)
        "${DROP[@]}" test -x "$VAR" 2>/dev/null || DROP=()
    fi
}

native_tools() {
    command -v promtool && command -v amtool && command -v squid && command -v caddy && command -v ip || install "${TOOLS[@]}"
}

own() {
    chmod 700 "$VAR/$1"
    [ ${#DROP[@]} = 0 ] || chown -R rabbitmq:rabbitmq "$VAR/$1"
}

install() {
    local root=() why="apt-get installs nothing"
    if ! command -v apt-get >/dev/null; then
        echo "services: there is no apt-get to install $* with; where a Docker engine answers," \
            "RabbitMQ and MariaDB run in containers." >&2
        exit $UNAVAILABLE
    fi
    [ "$(id -u)" = 0 ] || root=(sudo -n)
    if [ ${#root[@]} != 0 ] && ! sudo -n true 2>/dev/null; then
        why="this user may not install them"
    else
        echo "  apt-get install $*"
        ! "${root[@]}" bash -c "$(declare -p UNITS; declare -f install_as_root); install_as_root \"\$@\"" - "$@" \
            >"$VAR/install.log" 2>&1 || return 0
        tail -n 5 "$VAR/install.log" >&2
    fi
    echo "services: $* is missing, and $why; start Docker for RabbitMQ and MariaDB, or run:" \
        "sudo apt-get install --no-install-recommends ${PACKAGES[*]} ${TOOLS[*]}" >&2
    exit $UNAVAILABLE
}

# Debian starts what it installs, now and at every boot; we want the programs only.
install_as_root() {
    local policy=/usr/sbin/policy-rc.d unit fresh=()
    set -eu
    for unit in "${UNITS[@]}"; do
        [ -e "/lib/systemd/system/$unit" ] || fresh+=("$unit")
    done
    if [ ! -e $policy ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install --yes --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "$@"
    ! command -v systemctl || for unit in "${fresh[@]}"; do
        [ ! -e "/lib/systemd/system/$unit" ] || systemctl disable "$unit"
    done
}
