"""What can be wrong at a site, how it is found, and what is done about it."""
