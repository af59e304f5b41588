# One image for every role: `api` (the default), `worker`, `serve`, `migrate`, `keys`, `simulate`.

FROM python:3.11.14-slim-bookworm AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /opt/multicanal
COPY requirements/runtime.txt requirements/build.txt requirements/

# The gateway's environment has no pip, and what builds the gateway stays outside it.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: \
        -r requirements/runtime.txt \
    && pip install --require-hashes --only-binary :all: --target /opt/build \
        -r requirements/build.txt

COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations

# Editable: `multicanal migrate` looks for migrations/ beside app/, so the tree stays as it is.
# Bytecode is made here, once, because the user below may write nothing; `unchecked-hash` makes
# it independent of the files' times, which a copy may change.
RUN PYTHONPATH=/opt/build pip --python /opt/venv/bin/python install \
        --no-deps --no-build-isolation --editable . \
    && /opt/venv/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash \
        /opt/venv/lib app migrations \
    && rm -r requirements \
    && chmod -R a+rX,go-w /opt/venv /opt/multicanal \
    && install -d -o 10001 -g 10001 -m 0700 /opt/data


FROM python:3.11.14-slim-bookworm

COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /opt/multicanal /opt/multicanal
# The only folder that the user may write: it holds the embedded SQLite where there is no PostgreSQL.
COPY --from=builder --chown=10001:10001 /opt/data /data

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MULTICANAL_HOST=0.0.0.0

USER 10001:10001
WORKDIR /data
EXPOSE 8000
STOPSIGNAL SIGTERM

# For the roles that listen (api, serve); the others say in docker-compose.yml what holds for them.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as web; web.build_opener(web.ProxyHandler({})).open('http://127.0.0.1:' + (os.environ.get('MULTICANAL_PORT') or '8000') + '/healthz', timeout=4)"]

ENTRYPOINT ["multicanal"]
CMD ["api"]
