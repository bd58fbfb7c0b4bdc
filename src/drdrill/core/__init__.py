"""Layer 0: clock, waiting, errors, value types. Knows nothing of drills, files or networks."""
