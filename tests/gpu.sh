#!/usr/bin/env bash
# Checks and measures on a machine with an NVIDIA GPU, in under ten minutes: every operation and model against the CPU, the
# parts of training and scoring beside PyTorch's, and two trainings of the same seed, one on either device.
#   gpu.sh BINARY TESTS DATA RESNET18_WEIGHTS OUT [PYTHON]
# BINARY is flawscope and TESTS the test binary `cuda`, both built with `--features cudnn`; DATA is a category folder in the
# layout of MVTec AD; RESNET18_WEIGHTS is torchvision's, as .safetensors; PYTHON has PyTorch with CUDA. OUT keeps it all.
set -euo pipefail
binary=$(realpath "$1") tests=$(realpath "$2") data=$(realpath "$3") weights=$(realpath "$4")
mkdir -p "$5"
out=$(realpath "$5")
python=${6:-python3}
here=$(dirname "$(realpath "$0")")
say() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }

say "against the CPU"
FLAWSCOPE_REQUIRE_CUDA=1 "$tests" 2>&1 | tee "$out/tests.txt" | grep -E "^test |panicked|instead|test result"
say "operations"
"$tests" --ignored --nocapture 2>&1 | grep -E " ms$" | tee "$out/operations.txt"
say "beside PyTorch"
"$python" "$here/peers/gpu.py" "$binary" "$out" 2 | tee "$out/peers.txt"
for model in cfa cflow; do
  for device in cuda cpu; do
    say "$model on $device"
    run=$out/$model-$device
    rm -rf "$run"
    began=$(date +%s.%N)
    "$binary" train --data "$data" --model $model --backbone resnet18 --weights "$weights" --input 224crop \
      --preset quick --device $device --out "$run"
    echo "trained in $(echo "$(date +%s.%N) - $began" | bc) s"
    "$binary" eval --run "$run" --device $device --weights "$weights" | tee "$out/$model-$device.txt"
  done
done
say "done"
