raise SystemExit("bye \udc80")
