# Two images, both offline, as nobody in particular and able to run on a read-only file system with /tmp alone to write to:
#
#   docker build -t cardioseg .                        # full: train, predict, evaluate; an NVIDIA GPU is used where there is one
#   docker build -t cardioseg:serve --target serve .   # predict and evaluate on the CPU, without PyTorch
#
# Where packages come from is pip's own affair: --build-arg PIP_INDEX_URL=..., PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS.
# With an index of PyTorch's CPU builds the full image is 3 GB smaller.

FROM debian:bookworm-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
ENV PATH=/opt/cardioseg/bin:$PATH HOME=/tmp

FROM base AS runtime
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["cardioseg"]
CMD ["--help"]

FROM base AS builder
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
RUN python3 -m venv /opt/cardioseg
WORKDIR /source
COPY . .

# Left out: pip, the packages' own tests, and a copy of ONNX Runtime for C programs. The demo proves what is left, and
# compiles the modules that are used, and no others.
FROM builder AS serve-builder
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
RUN pip install --no-cache-dir --no-compile -c constraints.txt '.[cpu]' \
 && pip uninstall -y pip setuptools \
 && find /opt/cardioseg \( -name __pycache__ -o -name tests -o -name 'libonnxruntime.so.*' \) -prune -exec rm -r {} + \
 && cardioseg demo --quiet -o /tmp/demo

FROM runtime AS serve
COPY --from=serve-builder /opt/cardioseg /opt/cardioseg

FROM builder AS full-builder
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
RUN pip install --no-cache-dir -c constraints.txt '.[gpu,train]' \
 && pip uninstall -y pip setuptools

FROM runtime AS full
COPY --from=full-builder /opt/cardioseg /opt/cardioseg
