#include <stdio.h>
#include <string.h>
#include <assert.h>
int main(void) { const char *t = "abababcabababab", *p = "abab"; int f[8] = {0}, n = 0, m = strlen(p); for (int i = 1, k = 0; i < m; i++) { while (k && p[k] != p[i]) k = f[k - 1]; f[i] = k += p[k] == p[i]; } for (int i = 0, k = 0; t[i]; i++) { while (k && p[k] != t[i]) k = f[k - 1]; k += p[k] == t[i]; if (k == m) { printf("%d ", i - m + 1); n++; k = f[k - 1]; } } puts(""); assert(n == 5); return 0; }
