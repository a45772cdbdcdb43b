# Opens the real window on a virtual display of its own and drives it by mouse and keyboard. Sourced by the scripts beside:
# they set `binary` and `out` first. The window finds an empty home.
mkdir -p "$out"
out=$(realpath "$out")
home=$(mktemp -d)
clicks=0
Xvfb -displayfd 3 -screen 0 1440x900x24 3>"$home/display" >/dev/null 2>&1 &
xvfb=$!
trap 'kill $app $xvfb 2>/dev/null; wait 2>/dev/null; rm -rf "$home"' EXIT
app=$xvfb
for _ in $(seq 100); do [ -s "$home/display" ] && break; sleep 0.1; done
[ -s "$home/display" ] || { echo "no virtual display came up"; exit 1; }
export DISPLAY=:$(cat "$home/display") HOME="$home" XDG_DATA_HOME="$home/data" XDG_CONFIG_HOME="$home/config"
unset WAYLAND_DISPLAY WAYLAND_SOCKET
runs=$home/data/flawscope/runs

# Fails with the window's own words when it said anything (a panic, a warning) or is gone: each step would then only wait in vain.
uncomplaining() {
  [ ! -s "$out/window.log" ] || { echo "the window complained:"; cat "$out/window.log"; exit 1; }
  kill -0 "$app" 2>/dev/null || { echo "the window closed by itself"; exit 1; }
}
start() {
  "$binary" >"$out/window.log" 2>&1 &
  app=$!
  window=$(timeout 60 xdotool search --sync --onlyvisible --name '^Flawscope' | tail -n 1) || { uncomplaining; echo "no window came up"; exit 1; }
  xdotool windowmove "$window" 0 0
  xdotool windowsize "$window" 1440 900
  xdotool windowfocus --sync "$window"
  sleep 2
  uncomplaining
}
shot() { import -window "$window" "$out/$1.png"; }
point() { xdotool mousemove --window "$window" "$1" "$2"; sleep 0.2; }
click() { point "$1" "$2"; xdotool click 1; clicks=$((clicks + 1)); sleep 0.5; }
# Presses at the first point, draws to the second and keeps the button down; `drop` lets go.
drag() {
  point "$1" "$2"
  xdotool mousedown 1
  local step
  for step in 1 2 3 4 5 6; do point $(($1 + step * ($3 - $1) / 6)) $(($2 + step * ($4 - $2) / 6)); done
  clicks=$((clicks + 1))
}
drop() { xdotool mouseup 1; sleep 0.5; }
key() { xdotool key "$1"; sleep 1; }
# Waits until a file exists; the window works on its own meanwhile, and without a complaint.
await() {
  for _ in $(seq 1200); do
    uncomplaining
    [ -e "$1" ] && return 0
    sleep 0.5
  done
  echo "never came: $1"
  exit 1
}
# Fails unless two pictures of the window differ.
differ() {
  local pixels
  pixels=$(compare -metric AE "$out/$1.png" "$out/$2.png" null: 2>&1) || true
  [ "$pixels" = 0 ] || return 0
  echo "nothing changed between $1 and $2"
  exit 1
}
# Fails unless something was drawn, and without a complaint.
drawn() {
  local name colours
  for name in "$@"; do
    colours=$(identify -format %k "$out/$name.png")
    echo "$name: $colours colours"
    [ "$colours" -gt 100 ] || { echo "nothing was drawn in $name"; exit 1; }
  done
  uncomplaining
}
# The report in a browser: page.html name
browse() {
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1600 \
    --screenshot="$out/$2.png" "file://$1" >"$out/browser.log" 2>&1
}
