#!/usr/bin/env bash
# Opens the real window on a virtual display, drives it by mouse and keyboard, takes pictures of the places, trains two models, drags a
# limit, writes a report, and checks that an idle window uses no processor time: window.sh BINARY OUT
set -euo pipefail
binary=$(realpath "$1")
out=$2
. "$(dirname "$(realpath "$0")")/support/driver.sh"
start

shot 1-start
click 1040 402                      # Try the sample data set
await "$home/data/flawscope/sample/bearing_cover/ground_truth"
sleep 8
shot 2-data
click 1350 43                       # Train a model
click 322 208                       # Quick
shot 3-train
click 431 621                       # Train on bearing_cover
await "$runs/bearing_cover-cfa/evaluation.json"
sleep 8
xdotool mousemove --window "$window" 1100 500
sleep 1
shot inspect
point 1100 590
xdotool click --repeat 5 --delay 100 4
sleep 1
shot 8-synced
differ inspect 8-synced
key ctrl+k
xdotool type "go to res"
sleep 1
shot 9-palette
key Return
shot 4-results
drag 254 229 318 240                # the grip of T2
shot 10-drag
drop
differ 4-results 10-drag
key ctrl+e                          # no file dialog here: the report lies beside the model
await "$runs/bearing_cover-cfa/report.html"
sleep 2
browse "$runs/bearing_cover-cfa/report.html" 11-report

key ctrl+2
click 328 148                       # CFLOW-AD, which begins with Quick
click 249 342                       # 128
click 431 634                       # Train on bearing_cover
sleep 10
shot 5-training-cflow
await "$runs/bearing_cover-cflow/evaluation.json"
sleep 8
xdotool mousemove --window "$window" 1100 500
sleep 1
shot 6-inspect-cflow
key ctrl+5
click 762 452                       # the run opened before
# The session tells that the other run is open beside this one.
compared() { grep -q '"compared":\["[^"]*bearing_cover-cfa"' <(tr -d ' \n' <"$home/data/flawscope/session.json"); }
for _ in $(seq 20); do compared && break; sleep 0.5; done
compared
shot 7-compare

echo "# an idle window uses no processor time"
xdotool mousemove --window "$window" 60 600
sleep 3
before=$(awk '{print $14 + $15}' "/proc/$app/stat")
sleep 10
after=$(awk '{print $14 + $15}' "/proc/$app/stat")
echo "idle: $((after - before)) ticks of 10 ms in 10 s, $(awk '/VmRSS/{print int($2 / 1024)}' "/proc/$app/status") MB"
[ $((after - before)) -le 20 ]

echo "# the places were really drawn"
drawn 1-start 2-data 3-train inspect 4-results 5-training-cflow 6-inspect-cflow 7-compare 8-synced 9-palette 10-drag 11-report
