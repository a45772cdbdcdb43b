#!/usr/bin/env bash
# The same work done by PyTorch, in turns with `flawscope bench`, and the ratio: run.sh BINARY RESNET18_WEIGHTS OUT [ROUNDS].
# RESNET18_WEIGHTS is torchvision's, as .safetensors; OUT keeps the virtual environment and the figures.
set -euo pipefail
binary=$(realpath "$1")
weights=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
rounds=${4:-3}
here=$(dirname "$(realpath "$0")")
if ! "$out/venv/bin/python" -c 'import torch, torchvision, safetensors' 2>/dev/null; then
  python3 -m venv "$out/venv"
  "$out/venv/bin/pip" install -q torch torchvision numpy safetensors
fi
"$out/venv/bin/python" "$here/peers.py" "$binary" "$weights" "$rounds" | tee "$out/peers.txt"
