"""Writing a drill repository: its names, how the reference company's becomes somebody's own, and the folder itself."""
