# Sourced by what writes a page of figures: where and by what they were measured.

# The command, and where its load after it is going to stand: @after@.
about() {
    local commit model
    commit=$(git rev-parse --short HEAD)
    if ! git diff --quiet HEAD -- runtime components dsl Cargo.lock; then
        commit="$commit, with changes that are not committed"
    fi
    model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
    echo "- Machine: ${model:-unknown}, $(getconf _NPROCESSORS_ONLN) processors, $(uname -s) $(uname -r)"
    echo "- Compiler: $(rustc --version), profile release as in Cargo.toml"
    echo "- Commit: $commit, $(date -u +%F)"
    echo "- Command: \`$1\`"
    echo "- Load (1, 5, 15 minutes) before: $(load)"
    echo '- Load after: @after@'
}

load() {
    cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || uptime
}
