# Two stages: the first has the tools to install, the second only what was installed.
FROM python:3.11-slim AS build

WORKDIR /src
RUN pip install --no-cache-dir uv==0.13.9 && uv venv /opt/ringfence
ENV VIRTUAL_ENV=/opt/ringfence UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY campaigns campaigns
COPY workers workers
COPY config config
# The lock as a constraint: its versions and hashes, without the tools of development and the embedded servers.
RUN uv pip install --no-cache --constraint requirements.lock --build-constraint requirements.lock .


FROM python:3.11-slim

RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ringfence ringfence
COPY --from=build /opt/ringfence /opt/ringfence
# Flower reads its settings from a file by path.
COPY --chown=root:root config/flowerconfig.py /srv/ringfence/config/flowerconfig.py
ENV PATH=/opt/ringfence/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RINGFENCE_HOME=/var/lib/ringfence
WORKDIR /srv/ringfence
USER 10001
CMD ["ringfence", "--help"]
