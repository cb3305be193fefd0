"""The parts that the screens are made of; all of them draw line by line."""
