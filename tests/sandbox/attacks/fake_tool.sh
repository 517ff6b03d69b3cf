#!/bin/sh
echo "LEAK:tool-of-the-program-ran" >&2
echo "LEAK:tool-of-the-program-ran"
exit 0
