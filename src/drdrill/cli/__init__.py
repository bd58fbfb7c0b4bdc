"""The command line. Knows the commands by name and imports one only when it is called."""
