raise SystemExit("goodbye\nworld")
