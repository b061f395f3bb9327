# Accord's image. docs/how-to/docker.md tells how to run it, docs/explanation/decisions/0030-image.md why it is made so.
#
#   make image                                             with docker, podman or buildah, whichever is there
#   docker build --build-arg VERSION=0.1.0 --tag accord .  by hand
#
# What a build may be given besides its arguments:
#   --secret id=pip.conf,src=FILE           pip's own configuration: another index, its credentials, its certificates
#   --secret id=ca.pem,src=FILE             certificates to trust; pip.conf names them as /run/secrets/ca.pem
#   --build-context wheelhouse=FOLDER       a folder with a wheel that `make wheel` made, in place of compiling it here

# Any Linux with Python 3.11 or newer and pip. By tag, since a digest ages: pin one with
# --build-arg BASE_IMAGE=python@sha256:... where builds must be the same for ever.
ARG BASE_IMAGE=python:3.14-slim-trixie

# ------------------------------------------------------------------------------------------------ a wheel, if one is given
FROM scratch AS wheelhouse

# ------------------------------------------------------------------------------------------------------------- the builder
FROM ${BASE_IMAGE} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
WORKDIR /src

# What Accord runs on, as uv.lock pins it: every file by its hash, and only wheels, so that no foreign code runs here.
# /build is what makes the image, /opt/accord what goes into it.
COPY pyproject.toml uv.lock image/pinned.py ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.pem \
    python3 -m venv /build \
    && python3 -m venv --without-pip /opt/accord \
    && python3 pinned.py uv < uv.lock > uv.txt \
    && /build/bin/pip install --quiet --require-hashes --only-binary :all: --requirement uv.txt \
    && /build/bin/uv export --quiet --frozen --no-dev --no-emit-project --output-file runtime.txt \
    && /build/bin/uv export --quiet --frozen --only-group image --output-file image.txt \
    && /build/bin/pip install --quiet --require-hashes --only-binary :all: --requirement image.txt \
    && /build/bin/pip --python /opt/accord/bin/python install --quiet --no-compile \
        --require-hashes --only-binary :all: --requirement runtime.txt

# Accord itself, the way of a request compiled. The compiler sees what Accord runs on, and fetches nothing.
ARG SOURCE_DATE_EPOCH
COPY LICENSE README.md ./
COPY gateway gateway
# hadolint ignore=DL3008
RUN --mount=type=bind,from=wheelhouse,target=/wheelhouse \
    if ls /wheelhouse/accord_gateway-*.whl > /dev/null 2>&1; then \
        mkdir /wheels && cp /wheelhouse/accord_gateway-*.whl /wheels/; \
    else \
        headers="$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" \
        && if ! command -v gcc > /dev/null || ! [ -f "$headers" ]; then \
            { [ -f "$headers" ] || set -- python3-dev; } \
            && apt-get update --quiet=2 --error-on=any \
            && apt-get install --yes --quiet=2 --no-install-recommends gcc libc6-dev "$@" \
            && rm -rf /var/lib/apt/lists/*; \
        fi \
        && /opt/accord/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
            > "$(/build/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/runtime.pth" \
        && HATCH_BUILD_HOOKS_ENABLE=true /build/bin/pip wheel --quiet --no-build-isolation --no-deps --no-index \
            --wheel-dir /wheels .; \
    fi \
    && /build/bin/pip --python /opt/accord/bin/python install --quiet --no-compile --no-deps --no-index /wheels/*.whl

# Made small, its bill of materials written, and its bytecode: nobody may write it later. It is never compared with its
# source again (unchecked), so the time stamps of files do not matter.
RUN /build/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
        --output-format JSON --output-file /sbom.cdx.json /opt/accord/bin/python \
    && find /opt/accord/lib -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.[ch]' \) -delete \
    && rm -rf /opt/accord/include /opt/accord/bin/[Aa]ctivate* \
    && if command -v strip > /dev/null; then find /opt/accord/lib -name '*.so' -exec strip --strip-unneeded {} +; fi \
    && /build/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/accord/lib

# ------------------------------------------------------------------------------------------------------ what is deployed
FROM ${BASE_IMAGE} AS runtime
# No pip, no program that gives rights away (setuid), and an account of its own. What Accord takes of Python's own library
# gets its bytecode, too: it is in this layer, and a base such as python:slim has none.
COPY --from=builder /opt/accord /opt/accord
RUN stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -rf "$stdlib/ensurepip" "$stdlib"/site-packages/pip* /usr/local/bin/pip* /usr/share/python-wheels \
    && find / -xdev -type f -perm /6000 -exec chmod ug-s {} + \
    && echo 'accord:x:10001:' >> /etc/group \
    && echo 'accord:x:10001:10001:Accord:/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && mkdir -p /etc/accord/upstreams \
    && /opt/accord/bin/python -c 'import gateway.cli.health, gateway.cli.running, gateway.supervisor.child, uvloop' \
    && /opt/accord/bin/accord --help > /dev/null
COPY --chmod=0644 image/gateway.yaml /etc/accord/gateway.yaml
COPY --from=builder --chmod=0644 /sbom.cdx.json /usr/share/accord/sbom.cdx.json

ENV PATH=/opt/accord/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1
WORKDIR /
USER 10001:10001
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=15s --retries=3 CMD ["accord", "health"]
ENTRYPOINT ["accord"]
CMD ["serve", "--config", "/etc/accord/gateway.yaml"]

ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Accord" \
    org.opencontainers.image.description="An HTTP gateway that makes many APIs answer in one format" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.base.name="${BASE_IMAGE}"
