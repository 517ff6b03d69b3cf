"""The classic API, proto package dcodex."""
