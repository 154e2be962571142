# syntax=docker/dockerfile:1
# pmosync as one image: a user of its own, a root file system that may be read-only, and two folders that are written.
#
#   /data    the PMO's folder, the working directory: pmosync.yaml, projects.yaml, standards/, mappings/, decisions/.
#            Written are only mappings/ (the lock files beside the mappings) and decisions/ (approvals).
#   /store   the store, which may be lost and is built again.
#
# The base is a full version. To pin it to the byte, give the digest that your registry shows for it:
#   docker build --build-arg PYTHON=3.11.14-slim-bookworm@sha256:... .
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
COPY pyproject.toml README.md constraints.txt ./
COPY src src
COPY connectors connectors
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CACHE_DIR=/pip-cache
# pip, which sqlite-utils brings for a command that is not used here, is taken out: nothing is installed at run time
RUN --mount=type=cache,target=/pip-cache \
    python -m venv --without-pip /opt/pmosync \
    && python -m pip wheel --no-deps --wheel-dir /dist . \
    && python -m pip --python /opt/pmosync/bin/python install --constraint constraints.txt /dist/*.whl \
    && python -m pip --python /opt/pmosync/bin/python uninstall --yes pip

FROM python:${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pmosync" \
      org.opencontainers.image.description="Checks project work in Jira and Asana against the PMO's standards" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# numbers, so that Kubernetes can see that this is not root; 10001 belongs to nobody on usual machines
RUN groupadd --gid 10001 pmosync \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pmosync \
    && install -d -m 0700 -o 10001 -g 10001 /data /store

COPY --from=build /opt/pmosync /opt/pmosync
COPY mappings /usr/share/pmosync/mappings

# HOME: libraries look for files there; /tmp is the one place that is always writable
ENV PATH=/opt/pmosync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LC_ALL=C.UTF-8 \
    HOME=/tmp \
    PMOSYNC_STORE=sqlite:////store/pmosync.db

USER 10001:10001
WORKDIR /data
VOLUME ["/store"]
EXPOSE 9464
STOPSIGNAL SIGTERM
# not urllib: it would ask a proxy that the environment names
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-I", "-c", "\
import http.client as h; c = h.HTTPConnection('127.0.0.1', 9464, timeout=4); c.request('GET', '/healthz'); \
raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["pmosync"]
CMD ["daemon"]
