"""Kubernetes in the mirror: control planes, nodes and the container runtime."""
