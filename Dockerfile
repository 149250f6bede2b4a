FROM debian:trixie-slim

# gcc and the headers stay in the image: FFCx compiles the finite-element forms at run time. The
# libraries are what gmsh is linked to; scripts/check_system.py holds the same list.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        gcc libc6-dev python3 python3-dev python3-venv \
        libfontconfig1 libgl1 libglu1-mesa libgomp1 libx11-6 libxcursor1 libxext6 libxfixes3 \
        libxft2 libxinerama1 libxrender1 \
    && rm -rf /var/lib/apt/lists/*

COPY pyproject.toml requirements.lock README.md LICENSE /opt/creep-fem/source/
COPY creep_fem /opt/creep-fem/source/creep_fem
RUN python3 -m venv /opt/creep-fem/venv \
    && /opt/creep-fem/venv/bin/pip install --no-cache-dir \
        --constraint /opt/creep-fem/source/requirements.lock '/opt/creep-fem/source[wheel]' \
    && rm -r /opt/creep-fem/source

# Caches and the work folder are open to every user id, so that `--user "$(id -u)"` works on a
# mounted folder.
RUN useradd --create-home creep \
    && install --directory --mode 1777 /var/cache/creep-fem /simulations
ENV PATH=/opt/creep-fem/venv/bin:$PATH \
    XDG_CACHE_HOME=/var/cache/creep-fem \
    MPLCONFIGDIR=/var/cache/creep-fem/matplotlib \
    OMP_NUM_THREADS=1 \
    UCX_TLS=self,sm,tcp
WORKDIR /simulations
COPY configs configs
COPY meshes meshes
USER creep

ENTRYPOINT ["creep-fem"]
CMD ["--help"]
