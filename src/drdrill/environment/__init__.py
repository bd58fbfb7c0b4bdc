"""The port that every environment implements, and how environments are found."""
