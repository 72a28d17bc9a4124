# Servers as containers, their data in volumes of the same names; read by ../services.sh.

docker_answers() {
    command -v docker >/dev/null && docker info >/dev/null 2>&1
}

container() {  # another checkout or set has others
    echo "ytrag-$1-$(cksum <<<"$VAR" | cut -d ' ' -f 1)"
}

docker_run() {  # docker_run SERVER IMAGE DATA option…
    docker run --detach --name "$(container "$1")" \
        --volume "$(container "$1"):$3" "${@:4}" "$2" >/dev/null
}

docker_prepare() {  # made anew at each start, so that settings and ports are today's; the data stays
    docker rm --force "$(container "$1")" >/dev/null 2>&1 || true
}

docker_runs() {
    [ "$(docker inspect --format '{{.State.Running}}' "$(container "$1")" 2>/dev/null)" = true ]
}

docker_signal() {
    ! docker_runs "$1" || case $2 in
        STOP) docker pause "$(container "$1")" ;;
        CONT) docker unpause "$(container "$1")" 2>/dev/null || true ;;
        *) docker kill --signal "$2" "$(container "$1")" ;;
    esac >/dev/null
}

docker_stop() {
    docker_signal "$1" CONT
    docker stop -t 30 "$(container "$1")" >/dev/null 2>&1 || true
}

docker_purge() {
    docker_prepare "$1"
    docker volume rm --force "$(container "$1")" >/dev/null
    rm -f "$VAR/$1".*
}

docker_log() {
    docker logs "$(container "$1")" 2>&1
}

docker_describe() {
    echo "container $(container "$1")"
}

docker_rabbitmqctl() {
    docker exec "$(container rabbitmq)" rabbitmqctl "$@"
}
