# How MariaDB, or MySQL in a container, is started and asked; read by ../services.sh.

MYSQL=3307

mariadb_ports() {
    echo $MYSQL
}

mariadb_urls() {
    echo "YTRAG_TEST_DATABASE_URL=mysql://ytrag:$PASSWORD@127.0.0.1:$((MYSQL + OFFSET))/ytrag"
}

# Run at every start. The user may make and drop databases whose names begin like ours, as tests do.
mariadb_statements() {
    echo "CREATE DATABASE IF NOT EXISTS ytrag CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
    echo "CREATE USER IF NOT EXISTS 'ytrag'@'%' IDENTIFIED BY '$PASSWORD';"
    echo "ALTER USER 'ytrag'@'%' IDENTIFIED BY '$PASSWORD';"
    echo "GRANT ALL PRIVILEGES ON \`ytrag%\`.* TO 'ytrag'@'%';"
}

mariadb_ready() {
    "mariadb_ready_$MODE"
}

mariadb_ready_native() {
    MYSQL_PWD=$PASSWORD timeout 5 mariadb --no-defaults --protocol=tcp --host=127.0.0.1 \
        --port=$((MYSQL + OFFSET)) --user=ytrag --execute='SELECT 1' ytrag
}

mariadb_native() {
    local home=$VAR/mariadb as_root=()
    cp deploy/mysql/my.cnf "$home"
    mariadb_statements >"$home/start.sql"
    mkdir -p "$home/tmp"  # its own: another server that starts in the same one deletes its temporary tables
    own mariadb
    [ ${#DROP[@]} != 0 ] || [ "$(id -u)" != 0 ] || as_root=(--user=root)
    if [ ! -d "$home/data" ]; then
        rm -rf "$home/new"  # of a start that was cut off
        "${DROP[@]}" mariadb-install-db --no-defaults "${as_root[@]}" --datadir="$home/new" --skip-test-db \
            --skip-name-resolve --auth-root-authentication-method=socket >"$VAR/mariadb.log" 2>&1 9>&- ||
            { tail -n 20 "$VAR/mariadb.log" >&2 && fail "mariadb-install-db failed; above is what it said."; }
        mv "$home/new" "$home/data"
    fi
    # The socket's name is relative to the data folder: whole ones may be too long for a socket (107 bytes).
    launch mariadb mariadbd --defaults-file="$home/my.cnf" "${as_root[@]}" --datadir="$home/data" \
        --tmpdir="$home/tmp" \
        --bind-address=127.0.0.1 --port=$((MYSQL + OFFSET)) --socket=mysql.sock --pid-file=mysql.pid \
        --init-file="$home/start.sql"
}

mariadb_docker() {
    docker_run mariadb mysql:8 /var/lib/mysql \
        --publish "127.0.0.1:$((MYSQL + OFFSET)):3306" \
        --env "MYSQL_ROOT_PASSWORD=$PASSWORD" \
        --volume "$PWD/deploy/mysql/my.cnf:/etc/mysql/conf.d/ytrag.cnf:ro"
}

# By TCP: while the image prepares itself, a first server answers on the socket only.
mariadb_ready_docker() {
    mariadb_statements | docker exec --interactive --env "MYSQL_PWD=$PASSWORD" "$(container mariadb)" \
        mysql --protocol=tcp --host=127.0.0.1 --user=root
}
