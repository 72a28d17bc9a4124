# for prom/alertmanager:v0.28.1
FROM debian:13-slim
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus-alertmanager wget \
    && rm -rf /var/lib/apt/lists/* && install -d -o 65534 -g 65534 /alertmanager
USER 65534
WORKDIR /alertmanager
ENTRYPOINT ["prometheus-alertmanager"]
