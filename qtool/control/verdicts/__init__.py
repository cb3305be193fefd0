"""How each queue and slice is, in words with the evidence, and alerts."""
