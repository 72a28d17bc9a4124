# How RabbitMQ is started and asked; read by ../services.sh.

AMQP=5673 MANAGEMENT=15673 PROMETHEUS=15693 DISTRIBUTION=25673 EPMD=4379

rabbitmq_ports() {
    echo $AMQP $MANAGEMENT $PROMETHEUS $DISTRIBUTION $EPMD
}

rabbitmq_urls() {
    local user="ytrag:$PASSWORD@127.0.0.1"
    echo "YTRAG_TEST_BROKER_URL=amqp://$user:$((AMQP + OFFSET))/ytrag"
    echo "YTRAG_TEST_BROKER_MANAGEMENT_URL=http://$user:$((MANAGEMENT + OFFSET))"
    echo "YTRAG_TEST_BROKER_METRICS_URL=http://127.0.0.1:$((PROMETHEUS + OFFSET))"
}

# Its management answers, lets our user in, and says that AMQP is being listened to.
rabbitmq_ready() (
    exec 3<>"/dev/tcp/127.0.0.1/$((MANAGEMENT + OFFSET))"
    printf 'GET /api/health/checks/protocol-listener/amqp HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n' \
        "$(printf 'ytrag:%s' "$PASSWORD" | base64)" >&3
    read -r -t 5 answer <&3
    [[ $answer == HTTP/*\ 200\ * ]]
)

# A name server (epmd) of its own keeps the node apart from others of the same name; localhost needs no DNS.
rabbitmq_environment() {
    local home=$VAR/rabbitmq epmd="ERL_EPMD_PORT=$((EPMD + OFFSET))"
    ENVIRONMENT=(
        "HOME=$home" "$epmd" ERL_EPMD_ADDRESS=127.0.0.1 "ERL_CRASH_DUMP=$home/erl_crash.dump"
        RABBITMQ_NODENAME=ytrag@localhost "RABBITMQ_DIST_PORT=$((DISTRIBUTION + OFFSET))"
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
        RABBITMQ_CONF_ENV_FILE=/dev/null "RABBITMQ_CONFIG_FILE=$home/rabbitmq.conf"
        "RABBITMQ_ADVANCED_CONFIG_FILE=$home/advanced.config" "RABBITMQ_ENABLED_PLUGINS_FILE=$home/enabled_plugins"
        "RABBITMQ_MNESIA_BASE=$home/mnesia" "RABBITMQ_LOG_BASE=$home" "RABBITMQ_GENERATED_CONFIG_DIR=$home/config"
        RUNNING_UNDER_SYSTEMD=1  # the script becomes the server instead of waiting for it: one pid to signal
    )
}

rabbitmq_native() {
    local home=$VAR/rabbitmq
    cp deploy/rabbitmq/enabled_plugins "$home"
    {
        cat deploy/rabbitmq/rabbitmq.conf
        echo "listeners.tcp.default = 127.0.0.1:$((AMQP + OFFSET))"
        echo "management.tcp.ip = 127.0.0.1"
        echo "management.tcp.port = $((MANAGEMENT + OFFSET))"
        echo "prometheus.tcp.ip = 127.0.0.1"
        echo "prometheus.tcp.port = $((PROMETHEUS + OFFSET))"
        # Made at the first start, in place of guest. An administrator, since tests make virtual hosts.
        echo "default_vhost = ytrag"
        echo "default_user = ytrag"
        echo "default_pass = $PASSWORD"
        echo "default_user_tags.administrator = true"
    } >"$home/rabbitmq.conf"
    own rabbitmq
    rabbitmq_environment
    launch epmd epmd -address 127.0.0.1 -port $((EPMD + OFFSET))
    launch rabbitmq "${ENVIRONMENT[@]}" "$(rabbitmq_tool rabbitmq-server)"
}

# In Debian what is on PATH is a wrapper that knows the system's node only.
rabbitmq_tool() {
    if [ -x "/usr/lib/rabbitmq/bin/$1" ]; then echo "/usr/lib/rabbitmq/bin/$1"; else command -v "$1"; fi
}

native_rabbitmqctl() {
    local account=()
    [ -O "$VAR/rabbitmq" ] || account=(setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups)
    rabbitmq_environment
    cd /
    "${account[@]}" env -i "PATH=$PATH" LC_ALL=C.UTF-8 "${ENVIRONMENT[@]}" "$(rabbitmq_tool rabbitmqctl)" "$@"
}

rabbitmq_docker() {
    docker_run rabbitmq rabbitmq:4-management /var/lib/rabbitmq \
        --publish "127.0.0.1:$((AMQP + OFFSET)):5672" \
        --publish "127.0.0.1:$((MANAGEMENT + OFFSET)):15672" \
        --publish "127.0.0.1:$((PROMETHEUS + OFFSET)):15692" \
        --env RABBITMQ_NODENAME=ytrag@localhost \
        --env RABBITMQ_DEFAULT_VHOST=ytrag --env RABBITMQ_DEFAULT_USER=ytrag --env "RABBITMQ_DEFAULT_PASS=$PASSWORD" \
        --volume "$PWD/deploy/rabbitmq/rabbitmq.conf:/etc/rabbitmq/conf.d/90-ytrag.conf:ro" \
        --volume "$PWD/deploy/rabbitmq/enabled_plugins:/etc/rabbitmq/enabled_plugins:ro"
}
