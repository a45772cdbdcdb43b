#!/usr/bin/env bash
# From a fresh start with 200 good and 20 bad pictures to a limit that can be defended and a report, in the real window, counted
# in clicks and minutes: verdict.sh BINARY OUT [FOLDER]. The folder holds `good` and `bad`; without one the sample is drawn.
set -euo pipefail
binary=$(realpath "$1")
out=$2
folder=${3:-}
[ -z "$folder" ] || folder=$(realpath "$folder")
here=$(dirname "$(realpath "$0")")
. "$here/support/driver.sh"

if [ -z "$folder" ]; then
  folder=$home/parts
  mkdir -p "$folder/good" "$folder/bad"
  "$binary" sample --out "$home/drawn" --count 200 >/dev/null 2>&1
  cp "$home"/drawn/*/train/good/*.png "$folder/good/"
  for type in "$home"/drawn/*/test/*/; do
    [ "$(basename "$type")" = good ] && continue
    for picture in $(ls "$type" | head -n 4); do cp "$type$picture" "$folder/bad/$(basename "$type")-$picture"; done
  done
fi
good=$(ls "$folder/good" | wc -l)
bad=$(ls "$folder/bad" | wc -l)
echo "$good good pictures, $bad bad ones"
[ "$good" = 200 ] && [ "$bad" = 20 ]

began=$(date +%s)
start
click 700 319                       # the field for a path
xdotool type "$folder"
key Return
sleep 4
shot 1-data
click 1350 43                       # Train a model
click 322 208                       # Quick
shot 2-train
click 431 621                       # Train on …
run=$runs/$(basename "$folder")-cfa
await "$run/evaluation.json"
# How many pictures the run says it used: told FIELD
told() { grep -o "\"$1\": *[0-9]*" "$run/evaluation.json" | head -n 1 | grep -o '[0-9]*$'; }
found_good=$(($(told training_pictures) + $(told calibration_pictures) + $(told test_good)))
found_bad=$(told test_defective)
echo "found by the data set step: $found_good good pictures, $found_bad bad ones, $(told unreadable) unreadable"
[ "$found_good" = 200 ] && [ "$found_bad" = 20 ] && [ "$(told unreadable)" = 0 ]
sleep 5
trained=$(date +%s)
shot 3-inspect
click 41 227                        # Results
shot 4-results
drag 155 60 130 60                  # T1 down: doubtful pictures are looked at by a person
drop
shot 5-review
differ 4-results 5-review
saved=$(sha256sum "$run/model.safetensors")
key ctrl+s                          # Save
clicks=$((clicks + 1))
for _ in $(seq 40); do [ "$saved" != "$(sha256sum "$run/model.safetensors")" ] && break; sleep 0.5; done
[ "$saved" != "$(sha256sum "$run/model.safetensors")" ]
key ctrl+e                          # Write report…; no file dialog here: it lies beside the model
clicks=$((clicks + 2))              # with a dialog: the button, and Save in the dialog
await "$run/report.html"
sleep 2
shot 6-report
ended=$(date +%s)
browse "$run/report.html" 7-page
drawn 1-data 2-train 3-inspect 4-results 5-review 6-report 7-page
grep -q REVIEW "$run/report.csv"

seconds=$((ended - began))
echo "verdict: $clicks clicks, $seconds s in all, of which $((trained - began)) s until the model was trained and its test pictures scored"
[ "$clicks" -lt 30 ] && [ "$seconds" -lt 900 ]
