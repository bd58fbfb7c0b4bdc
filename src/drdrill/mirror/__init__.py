"""The embedded mirror: a two-region copy of the system on one Linux machine, without Docker and without root."""
