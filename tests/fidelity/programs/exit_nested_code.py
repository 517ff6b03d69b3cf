raise SystemExit(SystemExit(4))
