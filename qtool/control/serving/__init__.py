"""Control over a socket: the daemon's side, and who attaches to it."""
