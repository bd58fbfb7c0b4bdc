"""What runs beside a pod's containers: the keeper that starts, logs and reaps them, and lives on without the runtime.

It imports nothing but the standard library and this package, so that a keeper is small and quick to fork.
"""
