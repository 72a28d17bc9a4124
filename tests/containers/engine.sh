#!/usr/bin/env bash
# A Docker engine for tests/containers where none answers: Debian's, in a folder and in namespaces of its own.
#   up       make and start it, and make images for what cannot be pulled (root on a Debian machine; 3 min the first time)
#   run …    a command in its network, with `docker` on PATH and YTRAG_TEST_ENGINE saying what engine it is
#   down     stop it; down --purge deletes it, too
# Where an engine answers already, `run` uses that one. Exit code 69: neither is to be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PROJECT=$PWD
VAR=$PROJECT/var/engine
TREE=$VAR/debian # the engine's own system
SUITE=trixie
PACKAGES=docker.io,docker-cli,docker-compose,docker-buildx,iptables,iproute2,ca-certificates
HERE=$PROJECT/tests/containers

answers() {
    docker info && docker compose version
} >/dev/null 2>&1

pid() {
    local pid
    pid=$(cat "$VAR/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "$pid"
}

inside() { # the engine's files and network
    nsenter --target "$(pid dockerd)" --net --mount -- "$@"
}

mirror() { # where this machine has its own packages from
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' "Component: main" | head -n 1
}

debootstrap() { # FOLDER SUITE PACKAGES
    local tools=$VAR/debootstrap
    if [ ! -e "$tools" ]; then
        mkdir -p "$tools.new"
        (cd "$tools.new" && apt-get download debootstrap slirp4netns libslirp0 && for deb in *.deb; do dpkg -x "$deb" .; done)
        mv "$tools.new" "$tools"
    fi
    [ -e "$1" ] && return
    rm -rf "$1.new"
    DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap "$tools/usr/sbin/debootstrap" \
        --variant=minbase --include="$3" "$2" "$1.new" "$(mirror)"
    mv "$1.new" "$1"
}

make_tree() {
    debootstrap "$TREE" $SUITE $PACKAGES
    debootstrap "$VAR/debian-12" bookworm ca-certificates
    debootstrap "$VAR/debian-13" trixie ca-certificates
}

start() {
    local slirp=$VAR/debootstrap/usr
    [ -n "$(pid dockerd)" ] && return
    rm -f "$VAR"/*.pid "$VAR/docker.sock"
    # shellcheck disable=SC2016
    PROJECT=$PROJECT VAR=$VAR TREE=$TREE setsid unshare --net --mount --propagation private bash -c '
        mount --bind "$TREE" "$TREE"
        for folder in proc sys dev; do mount --rbind /$folder "$TREE/$folder"; done
        mount -t tmpfs tmpfs "$TREE/run"
        mount -t tmpfs tmpfs "$TREE/tmp"
        mkdir -p "$TREE$PROJECT" "$TREE/before"
        mount --rbind "$PROJECT" "$TREE$PROJECT"
        echo nameserver 10.0.2.3 >"$TREE/etc/resolv.conf"
        cd "$TREE"
        pivot_root . before
        umount --lazy /before
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin
        ip link set lo up
        exec dockerd --host "unix://$VAR/docker.sock" --data-root "$VAR/data" --exec-root /run/docker \
            --pidfile "$VAR/dockerd.pid" --exec-opt native.cgroupdriver=cgroupfs
    ' >"$VAR/dockerd.log" 2>&1 </dev/null &
    for _ in $(seq 300); do
        [ -n "$(pid dockerd)" ] && inside docker --host "unix://$VAR/docker.sock" info >/dev/null 2>&1 && break
        sleep 0.1
    done
    [ -S "$VAR/docker.sock" ] || { tail "$VAR/dockerd.log" >&2; return 1; }
    LD_LIBRARY_PATH=$(dirname "$(find "$slirp/lib" -name 'libslirp.so.0')") setsid "$slirp/bin/slirp4netns" \
        --configure --mtu=65520 "$(pid dockerd)" tap0 >"$VAR/slirp.log" 2>&1 </dev/null &
    echo $! >"$VAR/slirp.pid"
    inside sh -c 'for try in $(seq 50); do ip link show tap0 >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1'
}

# Under the names that docker-compose.yml and our Dockerfiles ask for, where the registry has not answered.
stand_in() {
    local file name
    for suite in 12 13; do
        docker image inspect "debian:$suite-slim" >/dev/null 2>&1 ||
            tar --directory "$VAR/debian-$suite" --create . | docker import - "debian:$suite-slim" >/dev/null
    done
    cp /etc/ssl/certs/ca-certificates.crt "$VAR/certificates.crt"
    for file in "$HERE"/standins/*.Dockerfile; do
        name=$(sed -n 's/^# for //p' "$file")
        echo "  $name"
        docker build --quiet --build-context "house=$VAR" --file "$file" --tag "$name" "$HERE/standins" >/dev/null
    done
}

wrap() { # docker, for whoever is not in its system
    mkdir -p "$VAR/bin" "$VAR/config"
    cat >"$VAR/bin/docker" <<END
#!/bin/bash
exec nsenter --target \$(cat $VAR/dockerd.pid) --net --mount -- env -C "\$PWD" \\
    DOCKER_HOST=unix://$VAR/docker.sock DOCKER_CONFIG=$VAR/config /usr/bin/docker "\$@"
END
    chmod 755 "$VAR/bin/docker"
    PATH=$VAR/bin:$PATH
}

stop() {
    local name
    for name in slirp dockerd; do
        [ -z "$(pid $name)" ] || kill "$(pid $name)"
    done
    while [ -n "$(pid dockerd)" ]; do sleep 0.1; done
    rm -f "$VAR"/*.pid
}

case ${1:-} in
up)
    answers && exit
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "engine: no Docker answers, and Debian's takes root on a Debian machine" >&2
        exit 69
    fi
    mkdir -p "$VAR"
    make_tree >"$VAR/debootstrap.log" 2>&1 || { tail "$VAR/debootstrap.log" >&2; exit 69; }
    start
    wrap
    stand_in
    ;;
run)
    shift
    if [ -n "$(pid dockerd)" ]; then
        wrap
        export PATH YTRAG_TEST_ENGINE=debian
        YTRAG_TEST_OUTSIDE=$(mirror | cut -d/ -f3)
        export YTRAG_TEST_OUTSIDE
        exec nsenter --target "$(pid dockerd)" --net -- "$@"
    fi
    answers || { echo "engine: none; $0 up" >&2; exit 69; }
    YTRAG_TEST_ENGINE=given exec "$@"
    ;;
down)
    stop
    [ "${2:-}" != --purge ] || rm -rf "$VAR"
    ;;
*)
    sed -n '2,/^set/{/^# /s/^# //p}' "$0"
    exit 2
    ;;
esac
