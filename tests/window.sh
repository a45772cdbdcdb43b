#!/usr/bin/env bash
# Opens the real window on a virtual display, drives it by keyboard, takes pictures of the places, trains both models, and checks that
# an idle window uses no processor time: window.sh BINARY OUT
set -euo pipefail
binary=$(realpath "$1")
out=$2
mkdir -p "$out"
out=$(realpath "$out")
home=$(mktemp -d)
display=:97
Xvfb $display -screen 0 1440x900x24 >/dev/null 2>&1 &
xvfb=$!
trap 'kill $app $xvfb 2>/dev/null; wait 2>/dev/null; rm -rf "$home"' EXIT
app=$xvfb
export DISPLAY=$display HOME="$home" XDG_DATA_HOME="$home/data" XDG_CONFIG_HOME="$home/config"
unset WAYLAND_DISPLAY WAYLAND_SOCKET
sleep 1
"$binary" >"$out/window.log" 2>&1 &
app=$!
window=$(timeout 60 xdotool search --sync --onlyvisible --name '^Flawscope' | tail -n 1)
xdotool windowmove "$window" 0 0
xdotool windowsize "$window" 1440 900
xdotool windowfocus --sync "$window"
sleep 2
shot() { import -window "$window" "$out/$1.png"; }
click() { xdotool mousemove --window "$window" "$1" "$2" click 1; sleep 0.5; }
key() { xdotool key "$1"; sleep 1; }
# Waits until a file exists; the window works on its own meanwhile.
await() { for _ in $(seq 480); do [ -e "$1" ] && return 0; sleep 0.5; done; echo "never came: $1"; exit 1; }

shot 1-start
click 1040 402                      # Try the sample data set
await "$home/data/flawscope/sample/bearing_cover/ground_truth"
sleep 8
shot 2-data
click 1350 43                       # Train a model
click 322 208                       # Quick
shot 3-train
click 431 621                       # Train on bearing_cover
await "$home/data/flawscope/runs/bearing_cover-cfa/evaluation.json"
sleep 8
xdotool mousemove --window "$window" 1100 500
sleep 1
shot inspect
key ctrl+4
shot 4-results
key ctrl+5
shot 7-compare

key ctrl+2
click 328 148                       # CFLOW-AD, which begins with Quick
click 249 342                       # 128
click 431 634                       # Train on bearing_cover
sleep 10
shot 5-training-cflow
await "$home/data/flawscope/runs/bearing_cover-cflow/evaluation.json"
sleep 8
xdotool mousemove --window "$window" 1100 500
sleep 1
shot 6-inspect-cflow

echo "# an idle window uses no processor time"
xdotool mousemove --window "$window" 60 600
sleep 3
before=$(awk '{print $14 + $15}' "/proc/$app/stat")
sleep 10
after=$(awk '{print $14 + $15}' "/proc/$app/stat")
echo "idle: $((after - before)) ticks of 10 ms in 10 s, $(awk '/VmRSS/{print int($2 / 1024)}' "/proc/$app/status") MB"
[ $((after - before)) -le 20 ]

echo "# the places were really drawn"
for name in 1-start 2-data 3-train inspect 4-results 5-training-cflow 6-inspect-cflow 7-compare; do
  colours=$(identify -format %k "$out/$name.png")
  echo "$name: $colours colours"
  [ "$colours" -gt 100 ]
done
[ ! -s "$out/window.log" ] || { echo "the window complained:"; cat "$out/window.log"; }
