//! Makes a graph run: links, scheduler, life, close, deadlock, statistics.
