"""Everything an operator may do, once, for every front end."""
