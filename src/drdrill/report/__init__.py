"""Everything that people see of a drill is rendered here, from the drill's directory alone. No live system."""
