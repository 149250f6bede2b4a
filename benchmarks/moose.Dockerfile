# MOOSE for `make bench-peers`, from a wheel that needs a newer C library than many systems have:
#   docker build --tag moose --file benchmarks/moose.Dockerfile benchmarks
#   export CREEP_FEM_MOOSE="docker run --rm --init --user $(id -u) --volume {folder}:/deck moose"
#   make bench-peers
FROM debian:trixie-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libgomp1 libquadmath0 libtirpc3t64 mpich python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# without its dependencies: gmsh and compilers, which only its Python examples use
RUN python3 -m venv /opt/moose \
    && /opt/moose/bin/pip install --no-cache-dir --no-deps rabbit-fem-mpich==2026.10.1

# the parallelism of a run on one core stays within the container
ENV PATH=/opt/moose/bin:$PATH \
    OMP_NUM_THREADS=1 \
    UCX_TLS=self,sm,tcp
WORKDIR /deck
ENTRYPOINT ["rabbit"]
