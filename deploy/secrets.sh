#!/usr/bin/env bash
# Make what docker-compose.yml reads as secrets, each once: what is there already stays as it is.
#   deploy/secrets.sh [FOLDER]   default: secrets; beside it .env, made from deploy/example.env
# Only this user may enter the folder; the files in it are for the containers' users, who are others.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# keep NAME: standard input as that file, unless it is there.
keep() {
    local content
    content=$(cat)
    if [ -e "$folder/$1" ]; then
        echo "  kept $folder/$1"
        return
    fi
    printf '%s\n' "$content" >"$folder/.$1"
    chmod 444 "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
    echo "  made $folder/$1"
}

for name in mysql_password mysql_root_password rabbitmq_password grafana_password; do
    random | keep "$name"
done
echo "mysql://ytrag:$(<"$folder/mysql_password")@mysql:3306/ytrag" | keep database_url
echo "amqp://ytrag:$(<"$folder/rabbitmq_password")@rabbitmq:5672/ytrag" | keep broker_url
keep rabbitmq.conf <<END
default_user = ytrag
default_pass = $(<"$folder/rabbitmq_password")
default_vhost = ytrag
END
if [ $# = 0 ] && [ ! -e .env ]; then
    cp deploy/example.env .env
    echo "  made .env"
fi
