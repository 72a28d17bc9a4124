# for rabbitmq:4-management
FROM debian:13-slim
RUN groupadd --gid 999 rabbitmq && useradd --uid 999 --gid 999 --home-dir /var/lib/rabbitmq rabbitmq \
    && apt-get update && apt-get install --yes --no-install-recommends rabbitmq-server \
    && rm -rf /var/lib/apt/lists/* /var/lib/rabbitmq/* /var/lib/rabbitmq/.erlang.cookie /etc/rabbitmq/rabbitmq-env.conf \
    && mkdir -p /etc/rabbitmq/conf.d && chown -R 999:999 /etc/rabbitmq /var/lib/rabbitmq \
    && chmod 1777 /var/lib/rabbitmq /var/log/rabbitmq
# Debian's commands in /usr/sbin change users and write a log of their own; these are the programs themselves.
ENV PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/rabbitmq LANG=C.UTF-8
CMD ["rabbitmq-server"]
