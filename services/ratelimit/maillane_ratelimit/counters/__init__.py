"""The counters in Redis: their keys, the scripts that alone touch them, and the typed face of those."""
