#!/usr/bin/env bash
# Opens the real window on a virtual display, drives it by keyboard, takes pictures of the four places and checks that
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
