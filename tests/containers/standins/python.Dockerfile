# for python:3.11-slim
FROM debian:12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* && ln -s python3 /usr/bin/python
# Where this machine reaches packages by a mirror of its own, it is known here by the same certificates.
COPY --from=house certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
