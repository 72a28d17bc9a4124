#!/usr/bin/env bash
# Make .venv from the locks. Running it again does nothing until a lock, the project's metadata or Python changes.
#   PYTHON=python3.12   which Python to use (default: the first of 3.11 to 3.14 that is found)
#   LOCK=runtime        without the demo's models and the tools of development (default: dev)
#   TORCH_INDEX=URL     take torch and its CUDA libraries from this index instead of the CPU build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LOCK=${LOCK:-dev}
TORCH_INDEX=${TORCH_INDEX:-}
LOG=var/setup.log
TORCH=$(grep '^torch==' deploy/requirements/torch.txt)
SUPPORTED='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'

fail() {
    echo "setup: $*" >&2
    exit 1
}

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$name" -c "$SUPPORTED" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 to 3.14 is needed, and ${PYTHON:-what is on PATH} is not it;" \
        "install one, or name it: make setup PYTHON=/path/to/python3.12"
}

# step "what" command…: one line with what is done and the seconds it took; the end of the log when it fails.
step() {
    local what=$1 start=$SECONDS
    shift
    printf '  %-62s' "$what"
    if "$@" >>"$LOG" 2>&1; then
        printf '%4d s\n' $((SECONDS - start))
    else
        printf 'failed\n'
        tail -n 20 "$LOG" >&2
        fail "'$what' failed; all of it is in $LOG"
    fi
}

# Debian and Ubuntu keep the venv module's other half in a package of its own.
install_venv_module() {
    local package="python$version-venv" root=()
    if ! command -v apt-get >/dev/null; then
        fail "$python has no venv module; install it, then run this again"
    fi
    if [ "$(id -u)" != 0 ]; then
        root=(sudo -n)
        sudo -n true 2>/dev/null ||
            fail "$python has no venv module; run: sudo apt-get install $package  (then try again)"
    fi
    step "apt-get update" "${root[@]}" apt-get update
    step "apt-get install $package" "${root[@]}" apt-get install --yes "$package"
}

install_torch() {
    if [ -n "$TORCH_INDEX" ]; then
        pip install --index-url "$TORCH_INDEX" "$TORCH"
    elif ! pip show torch | grep "^Version: ${TORCH#torch==}"; then  # a CUDA build that was asked for earlier stays
        # A source that was set up here may have the CPU build; PyPI's own file for Linux is the CUDA one.
        pip install --no-deps "$TORCH+cpu" ||
            pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "$TORCH"
    fi
}

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# pyvenv.cfg remembers the path it was made for: in a folder that was moved or copied, scripts point elsewhere.
venv_is_usable() {
    .venv/bin/python -c 'import pip' 2>/dev/null && grep -qF " $(pwd -P)/.venv" .venv/pyvenv.cfg &&
        { [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ]; }
}

stamp() {
    {
        echo "$(version_of .venv/bin/python) $LOCK $TORCH_INDEX"
        cat deploy/requirements/torch.txt "deploy/requirements/$LOCK.txt" pyproject.toml setup.cfg
    } | sha256sum
}

mkdir -p var
if venv_is_usable; then
    [ "$(cat .venv/setup-stamp 2>/dev/null)" != "$(stamp)" ] || exit 0
    : >"$LOG"
    echo "Bringing .venv up to date"
else
    : >"$LOG"
    python=$(find_python)
    version=$(version_of "$python")
    echo "Setting up .venv with Python $version (once: about 0.8 GB of downloads, 2.5 GB on disk)"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module
    step "virtual environment" "$python" -m venv --clear .venv
fi
step "$TORCH ${TORCH_INDEX:+from TORCH_INDEX}" install_torch
# --no-deps: the lock is complete, and dramatiq-dashboard's own wishes contradict it (pyproject.toml, [tool.uv]).
step "packages of deploy/requirements/$LOCK.txt" \
    pip install --no-deps --require-hashes --requirement "deploy/requirements/$LOCK.txt"
step "youtube-rag itself" pip install --no-deps --no-build-isolation --editable .
[ "$LOCK" != dev ] || step "packaged embedder in ONNX form" .venv/bin/python -m deploy.tools.export_embedder
stamp >.venv/setup-stamp
