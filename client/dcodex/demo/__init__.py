"""`make demo`: a whole farm, the examples through it, and what is left afterwards: nothing."""
