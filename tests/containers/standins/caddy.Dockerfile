# for caddy:2
FROM debian:13-slim
RUN apt-get update && apt-get install --yes --no-install-recommends caddy wget libcap2-bin \
    && rm -rf /var/lib/apt/lists/* && setcap cap_net_bind_service=+ep /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
