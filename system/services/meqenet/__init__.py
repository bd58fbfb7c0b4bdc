"""Meqenet's services: buy now, pay later. Small and real: drills are about what a failure does to them.

`python -m meqenet.SERVICE` starts one: `auth`, `users`, `payments`, `documents`, `notifications`. `meqenet.migrate`
brings a database's schema up to date.
"""
