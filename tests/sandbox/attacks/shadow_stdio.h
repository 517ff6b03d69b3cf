#error LEAK:header-taken
