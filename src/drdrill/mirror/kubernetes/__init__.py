"""Kubernetes in the mirror: clusters with real control planes, and nodes with real kubelets."""
