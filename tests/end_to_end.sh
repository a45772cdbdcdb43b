#!/usr/bin/env bash
# Uses a built binary as a person would, from outside: end_to_end.sh BINARY
set -euo pipefail
binary=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

echo "# demo: sample, train, eval"
"$binary" demo --out demo --json > demo.json
python3 - <<'PY'
import json
demo = json.load(open("demo.json"))
image, pixel = demo["evaluation"]["image_auroc"], demo["evaluation"]["pixel_auroc"]
print(f"demo: {demo['seconds']:.0f} s, image AUROC {image:.4f}, pixel AUROC {pixel:.4f}")
assert image >= 0.95 and pixel >= 0.95, "the demo's accuracy fell"
PY

echo "# predict on pictures, one of them broken"
mkdir pictures
cp demo/sample/*/test/*/000.png pictures/ 2>/dev/null || true
n=0; for f in demo/sample/*/test/*/000.png; do cp "$f" "pictures/$n.png"; n=$((n + 1)); done
head -c 100 pictures/0.png > pictures/broken.png
if "$binary" predict --model demo/run/model.safetensors --input pictures --out out --json > predict.json; then
  echo "a broken picture must give exit code 1"; exit 1
fi
grep -q broken.png out/scores.csv
[ "$(ls out/*overlay.png | wc -l)" -ge 2 ]

echo "# CFLOW-AD: interrupted by Ctrl-C, resumed, and the same bytes as without a pause"
flow=(--data demo/sample --model cflow --preset quick --epochs 12 --input 128)
"$binary" train "${flow[@]}" --out whole
"$binary" train "${flow[@]}" --out paused 2> paused.txt & pid=$!
for _ in $(seq 600); do grep -q '^Training' paused.txt && break; sleep 0.1; done
kill -INT "$pid"
code=0; wait "$pid" || code=$?; [ "$code" = 1 ]
grep -q 'train --resume paused' paused.txt
"$binary" train --resume paused
cmp whole/model.safetensors paused/model.safetensors

echo "# PRN: seen defects drawn by seed, interrupted, resumed to the same bytes, and never tested on"
prn=(--data demo/sample --model prn --preset lite --epochs 1 --input 128 --seen 4)
"$binary" train "${prn[@]}" --preview-augmentation sheet.png
file sheet.png 2>/dev/null | grep -q PNG || [ "$(head -c 4 sheet.png | tail -c 3)" = PNG ]
"$binary" train "${prn[@]}" --out prn
"$binary" train "${prn[@]}" --out prn-paused 2> paused.txt & pid=$!
for _ in $(seq 600); do grep -q '^Training' paused.txt && break; sleep 0.1; done
kill -INT "$pid"
code=0; wait "$pid" || code=$?; [ "$code" = 1 ]
"$binary" train --resume prn-paused
cmp prn/model.safetensors prn-paused/model.safetensors
if "$binary" eval --run prn 2> refused.txt; then
  echo "a test set with seen defects must be refused"; exit 1
fi
grep -q -- --leave-out-seen refused.txt
"$binary" eval --run prn --leave-out-seen --json > prn.json
python3 - <<'PY'
import json
judged = json.load(open("prn.json"))
seen = judged["protocol"]["seen"]
print(f"PRN, one epoch at 128 px: image AUROC {judged['image_auroc']:.4f}, pixel AUROC {judged['pixel_auroc']:.4f}")
assert len(seen) == 4 and not set(seen) & {image["path"] for image in judged["images"]}
PY

echo "# wrong usage is 2, failure is 1"
code=0; "$binary" train 2>/dev/null || code=$?; [ "$code" = 2 ]
code=0; "$binary" eval --run missing 2>/dev/null || code=$?; [ "$code" = 1 ]

echo "# without a display the window says so"
code=0; env -u DISPLAY -u WAYLAND_DISPLAY -u WAYLAND_SOCKET "$binary" 2> no-display.txt || code=$?
[ "$code" = 1 ]; grep -q demo no-display.txt; [ "$(wc -l < no-display.txt)" = 1 ]
echo "end to end: passed"
