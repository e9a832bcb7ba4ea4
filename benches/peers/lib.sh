# Shared by the scripts beside it; read with `source`, never started.
# shellcheck shell=bash

# What cannot be had here (a tool, a package): `run` says so and goes on with the next peer.
readonly UNAVAILABLE=69

# Everything that is installed or built lies here, outside the tree.
peers_cache() {
    local base="${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}"
    printf '%s/paperflow-peers' "$base"
}

# need TOOL HINT: ends the script when TOOL is not on the path.
need() {
    command -v "$1" >/dev/null && return
    echo "$(basename "$(dirname "$0")"): '$1' is not on the path; $2" >&2
    exit "$UNAVAILABLE"
}

# The digest of files, as a name for what was made from them.
digest() {
    cat "$@" | sha256sum | cut -c1-16
}
