"""A site to look at: runners that only pretend, and mail that nobody wrote."""
