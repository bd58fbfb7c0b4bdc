"""Layer 3: the runbook's executor, its gates and its resumption. Knows no drill and no environment."""
