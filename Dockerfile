# Two images. Both work offline, without root rights, and on a read-only file system where only /tmp can be written to:
#
#   docker build -t cardioseg .                        # full: train, predict, evaluate; an NVIDIA GPU is used where there is one
#   docker build -t cardioseg:serve --target serve .   # predict and evaluate on the CPU, without PyTorch
#
# To use another package index, give --build-arg PIP_INDEX_URL=..., PIP_EXTRA_INDEX_URL=... or PIP_FIND_LINKS=...
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

FROM builder AS serve-builder
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
RUN pip install --no-cache-dir --no-compile -c constraints.txt '.[cpu]'
# Remove what no command uses: pip, the tests of the packages, ONNX Runtime's tools that make models and its copy for C
# programs, AVIF, and all of some 60 image codecs except JPEG, JPEG-LS and JPEG 2000. The demo compiles the modules that
# are used, and no others. tests/docker runs every command in the image, on every encoding.
RUN pip uninstall -q -y pip setuptools \
 && cd /opt/cardioseg/lib/python3*/site-packages \
 && rm -r onnxruntime/quantization onnxruntime/tools onnxruntime/transformers \
 && find . \( -name __pycache__ -o -name tests -o -name 'libonnxruntime.so.*' -o -name '*avif*.so*' \) -prune -exec rm -r {} + \
 && find imagecodecs imagecodecs.libs -name '*.so*' \
    | grep -Ev '/(_shared|_imcd|_jpeg8|_jpegls|_jpeg2k|lib(jpeg|charls|openjp2|lcms2)-)' | xargs rm \
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
