# for mysql:8
FROM debian:12-slim
RUN groupadd --gid 999 mysql && useradd --uid 999 --gid 999 --home-dir /var/lib/mysql mysql \
    && apt-get update && apt-get install --yes --no-install-recommends mariadb-server-core mariadb-client \
    && rm -rf /var/lib/apt/lists/* && mkdir -p /etc/mysql/conf.d \
    && install -d -m 1777 -o 999 -g 999 /var/lib/mysql /run/mysqld
COPY mysql-entry.sh /usr/local/bin/entry
ENTRYPOINT ["entry"]
CMD ["mariadbd", "--bind-address=0.0.0.0"]
