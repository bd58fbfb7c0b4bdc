"""Users of the drilled system: open-loop clients in their own processes, and the ledgers that they leave.

`workload` reads what users do, `clients` plans who they are (one `ClientConfig` a process), `client` is such
a process, `reach` an independent look at a server. Import from these modules: nothing is imported here, so
that the two programs start quickly. The package knows no environment and no verdict.
"""
