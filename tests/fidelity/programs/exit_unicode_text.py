raise SystemExit("bye ü 😀")
