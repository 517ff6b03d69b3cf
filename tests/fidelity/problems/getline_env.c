#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) { char *l = 0; size_t n = 0; ssize_t r = getline(&l, &n, stdin); printf("%zd %d %d %s\n", r, argc, argv[argc] == 0, getenv("NO_SUCH") ? "?" : "unset"); free(l); return 0; }
