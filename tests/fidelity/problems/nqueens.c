#include <stdio.h>
#include <assert.h>
static int q(int n, int c, int l, int r) { int s = 0, all = (1 << n) - 1; if (c == all) return 1; for (int p = all & ~(c | l | r); p; p &= p - 1) { int b = p & -p; s += q(n, c | b, (l | b) << 1, (r | b) >> 1); } return s; }
int main(void) { assert(q(8, 0, 0, 0) == 92); for (int i = 1; i < 11; i++) printf("%d ", q(i, 0, 0, 0)); puts(""); return 0; }
