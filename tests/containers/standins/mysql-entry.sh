#!/bin/bash
# What the image's own does on a first start, for MariaDB.
set -euo pipefail
if [ ! -d /var/lib/mysql/mysql ]; then
    mariadb-install-db --datadir=/var/lib/mysql --auth-root-authentication-method=normal >/dev/null
    cat >/tmp/first.sql <<S
CREATE DATABASE $MYSQL_DATABASE;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$(<"$MYSQL_PASSWORD_FILE")';
GRANT ALL ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%';
ALTER USER root@localhost IDENTIFIED BY '$(<"$MYSQL_ROOT_PASSWORD_FILE")';
S
    set -- "$@" --init-file=/tmp/first.sql
fi
exec "$@"
