#include <stdio.h>
#include <assert.h>
static int add(int a, int b) { return a + b; } static int mul(int a, int b) { return a * b; }
static int fold(int (*f)(int, int), const int *a, int n, int z) { while (n--) z = f(z, *a++); return z; }
int main(void) { int a[] = {1, 2, 3, 4, 5}; assert(fold(add, a, 5, 0) == 15); int (*ops[])(int, int) = {add, mul}; printf("%d %d\n", ops[0](3, 4), fold(ops[1], a, 5, 1)); return 0; }
