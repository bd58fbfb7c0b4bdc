"""The faults of the drills: experiments, and the actions and probes that they name. No recovery."""
