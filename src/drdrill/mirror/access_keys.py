"""The access keys of the mirror's one user: nobody's secret."""

ACCESS_KEY = "mirror"
SECRET_KEY = "mirror"  # noqa: S105 (nobody's)
