"""What moves messages: runners, the master that runs them, and stepping."""
