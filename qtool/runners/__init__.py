"""The runners that ship with qtool."""
