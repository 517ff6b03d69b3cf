"""Runtimes, the virtual environments that Python programs import from: made and examined here."""
