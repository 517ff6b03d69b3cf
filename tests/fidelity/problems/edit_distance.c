#include <stdio.h>
#include <string.h>
#include <assert.h>
static int ed(const char *a, const char *b) { int m = strlen(a), n = strlen(b), d[m + 1][n + 1]; for (int i = 0; i <= m; i++) for (int j = 0; j <= n; j++) { if (!i || !j) { d[i][j] = i + j; continue; } int x = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]); if (d[i - 1][j] + 1 < x) x = d[i - 1][j] + 1; if (d[i][j - 1] + 1 < x) x = d[i][j - 1] + 1; d[i][j] = x; } return d[m][n]; }
int main(void) { assert(ed("kitten", "sitting") == 3); printf("%d\n", ed("intention", "execution")); return 0; }
