"""`dcodex doctor --live`: whether a running farm does, end to end, what it is for."""
