# The lab in one container: docker build -t f1-streaming-lab . && docker run -p 8000:8000 f1-streaming-lab
# Both stages are Debian with glibc: confluent-kafka has no wheels for musl.
FROM python:3.13-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.13-slim-bookworm AS lab
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    F1_VAR_DIR=/data
RUN useradd --uid 10001 --create-home --home-dir /home/lab lab \
    && install --directory --owner=lab --mode=0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /lab
COPY manage.py config.yaml.example LICENSE ./
COPY f1site ./f1site
COPY races ./races
COPY provisioning ./provisioning
COPY templates ./templates
COPY static ./static
COPY docs ./docs
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
# exec: the lab itself gets the stop signal, and its running races go on at the next start.
CMD ["sh", "-c", "python manage.py migrate --verbosity 0 && exec python manage.py runlab 0.0.0.0:8000"]

# The same with Java, for a real Kafka and a real Flink in the container: docker compose --profile flink up
FROM lab AS flink
USER 0
# Debian keeps only the newest version of a stable package, so none is named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jdk-headless maven \
    && rm -rf /var/lib/apt/lists/*
USER 10001
CMD ["sh", "-c", "python manage.py migrate --verbosity 0 && exec python manage.py run_flink 0.0.0.0:8000"]

# What `docker build` makes without --target
FROM lab
