"""Where messages wait. Nothing above this package knows that a queue is a directory."""
