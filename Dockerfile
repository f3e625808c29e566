# The platform as containers. Targets: server, worker, lambda (docs/containers.md).
#   docker build --target server --tag ticketing:server .
# Behind a proxy with its own certificates: --secret id=certificates,src=/etc/ssl/certs/ca-certificates.crt for pip.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# --- Packages: what every target runs with, then what only one of them needs ------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /tools
WORKDIR /source
COPY requirements.txt constraints.txt deploy/image/install deploy/image/requirements-lambda.txt ./
RUN --mount=type=secret,id=certificates ./install --except '^(-c|apig-wsgi|aws-lambda-powertools|gunicorn|zappa)'

FROM packages AS server-files
RUN --mount=type=secret,id=certificates ./install '^gunicorn'
COPY . .
RUN PYTHONPATH=/packages python -m deploy.image.assemble /packages /app

FROM packages AS lambda-files
RUN --mount=type=secret,id=certificates ./install '^(apig-wsgi|aws-lambda-powertools)' -r requirements-lambda.txt
COPY . .
RUN PYTHONPATH=/packages python -m deploy.image.assemble /packages /app

# --- What the targets share: an unprivileged user, no installer, a root that may be read-only -------------------------
FROM ${PYTHON_IMAGE} AS base
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/bin/pip* \
    && install --directory --owner 10001 --group 10001 --mode 700 /data /secrets
ENV DJANGO_SETTINGS_MODULE=ticketing.settings \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/app \
    STATIC_ROOT=/app/static \
    HOME=/tmp
WORKDIR /app
USER 10001:10001

FROM base AS lambda
COPY --from=lambda-files /app /app
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["ticketing.aws.handler.handler"]

FROM base AS server
COPY --from=server-files /app /app
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "/app/healthcheck.py"]
CMD ["python", "-m", "gunicorn", "--config", "python:ticketing.gunicorn"]

FROM server AS worker
HEALTHCHECK NONE
CMD ["python", "manage.py", "worker"]
