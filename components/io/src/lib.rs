//! Components that touch the outside: files, console, child processes, time.
