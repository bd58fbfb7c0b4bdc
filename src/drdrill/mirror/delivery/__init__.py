"""The machine that deploys: Git repositories, and a hook that applies what is in them to a regional cluster.

A company's CI in small, so that a drill can lose it. `machine` is what the supervisor does, on the machine run
`git daemon` and `python -m drdrill.mirror.delivery`, which is `server`, `request` and `deployment`.
"""
