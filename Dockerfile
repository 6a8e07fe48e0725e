# Ringroad in a container: every command of `ringroad`. What an instance keeps is in the volume /var/lib/ringroad.
FROM python:3.11-slim-bookworm

# Letters for reports in Chinese, and what finds them.
RUN apt-get update && apt-get install -y --no-install-recommends fontconfig fonts-noto-cjk && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 ringroad && useradd --create-home --uid 10001 --gid 10001 ringroad \
    && install -d -o ringroad -g ringroad -m 0700 /var/lib/ringroad
WORKDIR /opt/ringroad
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY graph graph
COPY gnn gnn
COPY loaders loaders
COPY workbench workbench
RUN pip install --no-cache-dir --no-deps .

ENV RINGROAD_HOME=/var/lib/ringroad OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=/var/lib/ringroad/numba
USER 10001:10001
VOLUME /var/lib/ringroad
ENTRYPOINT ["ringroad"]
CMD ["--help"]
